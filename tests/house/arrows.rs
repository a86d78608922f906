//! Which source file uses which, read from the paths in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module by its path below the crate, `["store", "sqlite", "runs"]`.
pub(crate) type Module = Vec<String>;

/// Every module of the library with the modules whose items it names, tests left out.
pub(crate) fn arrows(src: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = modules(src);
    let names: BTreeMap<Module, BTreeMap<String, Module>> = sources
        .iter()
        .map(|(module, text)| (module.clone(), re_exports(module, text, &sources)))
        .collect();
    sources
        .iter()
        .map(|(module, text)| {
            let targets = paths(text)
                .into_iter()
                .filter_map(|path| absolute(module, &path))
                .filter_map(|path| defining_module(path, &sources, &names))
                .filter(|target| target != module && !target.is_empty())
                .collect();
            (module.clone(), targets)
        })
        .collect()
}

fn modules(src: &Path) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let module = module_of(src, &path);
                if module.last().is_none_or(|last| last != "tests") {
                    found.insert(module, plain(&fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    found
}

fn module_of(src: &Path, file: &Path) -> Module {
    let relative: PathBuf = file.strip_prefix(src).unwrap().with_extension("");
    let mut module: Module = relative
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if matches!(
        module.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        module.pop();
    }
    module
}

/// The text without comments and without what is only compiled for tests.
fn plain(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// All paths that start with `crate::`, `super::` or `self::`, groups in braces taken apart.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (start, _) in text.match_indices(root) {
            let before = text[..start].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            expand(&text[start..], &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path or group; the answer is how many bytes it took.
fn expand(text: &str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut inner = 1;
            while !group[inner - 1..].starts_with('}') {
                let before = inner;
                inner += expand(&group[inner - 1..], prefix, found);
                let tail = &group[inner - 1..];
                inner += tail.len() - tail.trim_start().len();
                inner += usize::from(group[inner - 1..].starts_with(','));
                let tail = &group[inner - 1..];
                inner += tail.len() - tail.trim_start().len();
                assert!(inner > before, "cannot read the group {group:.80}");
            }
            prefix.truncate(depth);
            return at + inner + 1;
        }
        let word = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*')
            .unwrap_or(rest.len());
        prefix.push(rest[..word].to_owned());
        at += word;
        if !text[at..].starts_with("::") || text[at..].starts_with("::<") {
            break;
        }
        at += 2;
    }
    found.push(prefix.clone());
    prefix.truncate(depth);
    // `A as B`
    if let Some(alias) = text[at..].strip_prefix(" as ") {
        let word = alias
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(alias.len());
        at += " as ".len() + word;
    }
    at
}

fn absolute(module: &Module, path: &[String]) -> Option<Module> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        _ => module.clone(),
    };
    for part in path {
        match part.as_str() {
            "crate" | "self" => {}
            "super" => {
                base.pop();
            }
            name => base.push(name.to_owned()),
        }
    }
    Some(base)
}

/// What a module re-exports from its children, by name.
fn re_exports(
    module: &Module,
    text: &str,
    sources: &BTreeMap<Module, String>,
) -> BTreeMap<String, Module> {
    let mut names = BTreeMap::new();
    for (start, _) in text.match_indices("pub use ") {
        let mut found = Vec::new();
        expand(
            &text[start + "pub use ".len()..],
            &mut Vec::new(),
            &mut found,
        );
        for path in found {
            let mut child = module.clone();
            child.push(path[0].clone());
            if sources.contains_key(&child) {
                names.insert(path.last().unwrap().clone(), child);
            }
        }
    }
    names
}

/// The module in which the last name of a path is defined, followed through re-exports.
fn defining_module(
    mut path: Module,
    sources: &BTreeMap<Module, String>,
    names: &BTreeMap<Module, BTreeMap<String, Module>>,
) -> Option<Module> {
    if sources.contains_key(&path) {
        return Some(path);
    }
    while let Some(name) = path.pop() {
        if let Some(exports) = names.get(&path) {
            return Some(match exports.get(&name) {
                Some(child) => {
                    let mut deeper = child.clone();
                    deeper.push(name);
                    defining_module(deeper, sources, names).unwrap_or_else(|| child.clone())
                }
                None => path,
            });
        }
    }
    None
}
