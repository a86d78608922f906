//! Which files are read, and in which order.

use std::path::Path;

use super::super::files::Files;
use super::super::load::local;
use super::super::{StoreUrl, load_local};
use super::{Room, TOOL};

fn store(url: &str) -> String {
    format!("[store]\nurl = 'sqlite:/{url}'\n")
}

fn loaded_store(room: &Room, path: &Path) -> String {
    let StoreUrl::Sqlite(path) = room.load_path(path).unwrap().config.store else {
        panic!("not SQLite");
    };
    path.display().to_string()
}

#[test]
fn a_folder_is_its_main_file_and_then_its_conf_d_in_name_order() {
    let room = Room::new()
        .file("conf.d/20.toml", &store("twenty"))
        .file("conf.d/10.toml", &store("ten"))
        .file("conf.d/99.toml.bak", "not read")
        .file("conf.d/.99.toml", "not read")
        .file("secpull.toml", &store("main"))
        .file("other.toml", "not read");
    assert_eq!(loaded_store(&room, room.folder.path()), "/twenty");
}

#[test]
fn a_folder_without_main_file_is_all_its_files_in_name_order() {
    let room = Room::new()
        .file("b.toml", &store("b"))
        .file("a.toml", &(store("a") + TOOL));
    let loaded = room.load().unwrap();
    assert_eq!(loaded.config.store, StoreUrl::Sqlite("/b".into()));
    assert!(loaded.config.tools.contains_key("scan"));
}

#[test]
fn a_file_of_any_name_is_read_with_the_conf_d_beside_it() {
    let room = Room::new()
        .file("eu.toml", &store("eu"))
        .file("secpull.toml", "not read");
    assert_eq!(loaded_store(&room, &room.path("eu.toml")), "/eu");
    let room = room.file("conf.d/10.toml", &store("ten"));
    assert_eq!(loaded_store(&room, &room.path("eu.toml")), "/ten");
}

#[test]
fn what_cannot_be_found_or_read_is_told_by_the_path_that_was_given() {
    let room = Room::new();
    assert_eq!(
        room.load_path(&room.path("none.toml")).unwrap_err(),
        ["none.toml: cannot be read: No such file or directory (os error 2)"]
    );
    assert_eq!(
        room.problems(),
        [
            ".: the folder holds no configuration; allowed: secpull.toml, other *.toml, conf.d/*.toml"
        ]
    );
    std::os::unix::fs::symlink("/nowhere", room.path("secpull.toml")).unwrap();
    assert_eq!(
        room.problems(),
        ["secpull.toml: cannot be read: No such file or directory (os error 2)"]
    );
    std::fs::remove_file(room.path("secpull.toml")).unwrap();
    let room = room.file("secpull.toml", "");
    std::fs::write(room.path("secpull.toml"), b"[store]\n\xff").unwrap();
    assert_eq!(
        room.problems(),
        ["secpull.toml: cannot be read: line 2 is not UTF-8 text"]
    );
}

#[test]
fn a_command_that_only_reaches_the_daemon_needs_neither_secrets_nor_sound_tools() {
    let room = Room::with(
        "[control]\nsocket = '/run/x.sock'\n[tools.x]\nconnector = 'nobody'\nsecret = { env = 'NOT_SET' }\n",
    )
    .variable("SECPULL_STORE__URL", "sqlite:/x.db")
    .variable("SECPULL_TOOLS__X__PAGE_SIZE", "7");
    let local = load_local(room.folder.path(), &room.environment).unwrap();
    assert_eq!(local.control.socket, Path::new("/run/x.sock"));
    assert_eq!(local.store, StoreUrl::Sqlite("/x.db".into()));
    let room = room.file("secpull.toml", "[control]\nsocket = 5\n");
    let problems = load_local(room.folder.path(), &room.environment).unwrap_err();
    assert_eq!(
        room.lines(&problems.to_string()),
        ["secpull.toml:2:10: control.socket: is a whole number; allowed: an absolute path"]
    );
}

#[test]
fn such_a_command_passes_over_files_that_its_user_may_not_read() {
    let mut files = Files::default();
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    files.fail(Path::new("/etc/secpull/secpull.toml"), &denied);
    let local = local(
        Path::new("/etc/secpull/secpull.toml"),
        files,
        &Room::new().environment,
    );
    let local = local.unwrap();
    assert_eq!(local.control.socket, Path::new("/run/secpull/secpull.sock"));
    assert_eq!(
        local.warnings,
        ["/etc/secpull/secpull.toml: may not be read by this user"]
    );
}
