//! The connector `dependency-track` against simulated servers of both lines.

#![allow(clippy::unwrap_used)]

mod pulling;

use pulling::{Outcome, Setup, setup};
use secpull::finding::Status;
use secpull_simulators::dependency_track::{
    API_KEY, DependencyTrack, Key, Permission, Project, Simulator, Version,
};
use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::{many, shop};

const BOTH_LINES: [Version; 4] = [Version::V4_7, Version::V4_14, Version::V5_0, Version::V5_1];

/// One API configuration `it` of a tool `dt`.
fn configured(location: &str, selector: &str, key: &str) -> Setup {
    let toml = format!(
        "[tools.dt]\nconnector = \"dependency-track\"\nlocation = \"{location}\"\nsecret = {{ env = \"KEY\" }}\nproxy = \"none\"\ntimeout = \"2s\"\npage_size = 100\n\
         [api_configurations.it]\nproduct = \"Shop\"\ntool = \"dt\"\n{selector}\n"
    );
    setup(&toml, key)
}

fn by_key(simulator: &Simulator, project: &Project) -> Setup {
    let selector = format!("project_key = \"{}\"", project.uuid);
    configured(simulator.url(), &selector, API_KEY)
}

fn big(count: u64) -> Project {
    Project::new("big", Some("1.0")).with(many(count, 7))
}

async fn started(version: Version, project: &Project) -> Simulator {
    let server = DependencyTrack::new(version).project(project.clone());
    server.start().await.unwrap()
}

#[tokio::test]
async fn all_findings_of_a_project_come_whichever_way_the_server_pages() {
    for version in BOTH_LINES {
        for count in [0, 1, 99, 100, 101, 240, 1234] {
            let project = big(count);
            let server = started(version, &project).await;
            let outcome = by_key(&server, &project).pull("it").await;
            outcome.is_complete();
            assert_eq!(outcome.distinct() as u64, count, "{version:?}");
            assert_eq!(outcome.expected, count);
            assert_eq!(outcome.records, None);
            assert!(outcome.largest_page <= 500);
            let pages = server
                .requests()
                .iter()
                .filter(|request| request.path.contains("/finding/"))
                .count() as u64;
            let paged = version >= Version::V5_0;
            let expected = if paged { count.div_ceil(100).max(1) } else { 1 };
            assert_eq!(pages, expected, "{version:?} {count}");
        }
    }
}

#[tokio::test]
async fn all_active_projects_are_discovered_and_read() {
    for version in BOTH_LINES {
        let server = DependencyTrack::new(version).projects(shop());
        let server = server.start().await.unwrap();
        let setup = configured(server.url(), "", API_KEY);
        let outcome = setup.pull("it").await;
        outcome.is_complete();
        let mut names: Vec<_> = outcome
            .records
            .as_ref()
            .unwrap()
            .iter()
            .map(|record| record.name.as_str())
            .collect();
        names.sort_unstable();
        let all = [
            "shop",
            "shop-checkout",
            "shop-payments",
            "shop-search",
            "shop-web",
        ];
        assert_eq!(names, all);
        assert_eq!(outcome.ends.len(), all.len());
        assert_eq!(setup.discover("dt").await.unwrap().len(), all.len());
    }
}

#[tokio::test]
async fn excluded_projects_are_listed_but_not_read() {
    let server = DependencyTrack::new(Version::V5_0).projects(shop());
    let server = server.start().await.unwrap();
    let selector = "records = { include = [\"shop-*\"], exclude = [\"shop-web\"] }";
    let outcome = configured(server.url(), selector, API_KEY).pull("it").await;
    outcome.is_complete();
    assert_eq!(outcome.records.unwrap().len(), 5);
    assert_eq!(outcome.ends.len(), 3);
}

#[tokio::test]
async fn a_project_is_found_by_name_by_version_and_as_the_latest() {
    let old = Project {
        latest: false,
        ..Project::new("web/shop", Some("1.0"))
    };
    let new = Project::new("web/shop", Some("2.1"));
    let bare = Project::new("bare", None);
    let server =
        DependencyTrack::new(Version::V5_0).projects([old.clone(), new.clone(), bare.clone()]);
    let server = server.start().await.unwrap();
    for (selector, uuid) in [
        (
            "project_name = \"web/shop\"\nproject_version = \"1.0\"",
            &old.uuid,
        ),
        (
            "project_name = \"web/shop\"\nproject_version = \"latest\"",
            &new.uuid,
        ),
        ("project_name = \"bare\"", &bare.uuid),
    ] {
        let outcome = configured(server.url(), selector, API_KEY).pull("it").await;
        outcome.is_complete();
        assert_eq!(outcome.ends[0].0.record.id, *uuid);
    }
    let gone = configured(server.url(), "project_name = \"web/shop\"", API_KEY);
    let error = gone.pull("it").await.error.unwrap();
    assert!(
        error.contains("has no project \"web/shop\" without a version"),
        "{error}"
    );
}

#[tokio::test]
async fn suppressed_findings_are_read_unless_the_admin_says_otherwise() {
    for version in BOTH_LINES {
        let project = big(400);
        let server = started(version, &project).await;
        let outcome = by_key(&server, &project).pull("it").await;
        let suppressed = |outcome: &Outcome| {
            let sightings = outcome.sightings.iter();
            sightings
                .filter(|(_, one)| one.status == Status::FalsePositive)
                .count()
        };
        assert!(suppressed(&outcome) > 0);
        let selector = format!("project_key = \"{}\"\nsuppressed = false", project.uuid);
        let outcome = configured(server.url(), &selector, API_KEY)
            .pull("it")
            .await;
        outcome.is_complete();
        assert_eq!(suppressed(&outcome), 0);
    }
}

#[tokio::test]
async fn a_project_that_is_gone_is_an_error_and_not_an_empty_project() {
    for version in BOTH_LINES {
        let project = big(3);
        let server = started(version, &Project::new("other", None)).await;
        let outcome = by_key(&server, &project).pull("it").await;
        assert!(outcome.ends.is_empty());
        let error = outcome.error.unwrap();
        assert!(
            error.contains("404") && error.contains("has no project"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_project_deleted_between_listing_and_reading_leaves_the_others_alone() {
    let server = DependencyTrack::new(Version::V5_0).projects(shop());
    let server = server.start().await.unwrap();
    let portfolio = server.portfolio();
    let web = portfolio
        .projects()
        .into_iter()
        .find(|one| one.name == "shop-web")
        .unwrap();
    // The list is the first request, the findings follow.
    server.before_request(2, move || {
        portfolio.remove(&web.uuid);
    });
    let outcome = configured(server.url(), "", API_KEY).pull("it").await;
    assert_eq!(outcome.error, None);
    assert!(
        outcome
            .end_of("shop-web")
            .unwrap()
            .contains("deleted just now")
    );
    assert_eq!(outcome.end_of("shop-search"), None);
}

#[tokio::test]
async fn portfolio_access_control_fails_a_configured_project_and_skips_nothing_else() {
    for version in [Version::V4_14, Version::V5_0] {
        let projects = shop();
        let allowed = [projects[1].uuid.as_str(), projects[2].uuid.as_str()];
        let server = DependencyTrack::new(version)
            .projects(projects.clone())
            .access_control()
            .key("mine", Key::all().assigned_to(allowed));
        let server = server.start().await.unwrap();
        let outcome = configured(server.url(), "", "mine").pull("it").await;
        outcome.is_complete();
        assert_eq!(outcome.ends.len(), 2);
        let forbidden = format!("project_key = \"{}\"", projects[3].uuid);
        let outcome = configured(server.url(), &forbidden, "mine")
            .pull("it")
            .await;
        let error = outcome.error.unwrap();
        assert!(error.contains("assign the team"), "{error}");
    }
}

#[tokio::test]
async fn the_check_proves_host_key_permission_and_project() {
    let project = Project::new("Shop", Some("2.1"));
    for version in BOTH_LINES {
        let server = DependencyTrack::new(version)
            .project(project.clone())
            .key("all", Key::all())
            .key("blind", Key::with([Permission::ViewPortfolio]));
        let server = server.start().await.unwrap();
        let selector = format!("project_key = \"{}\"", project.uuid);
        for selector in ["", selector.as_str()] {
            let line = configured(server.url(), selector, "all")
                .check("it")
                .await
                .unwrap();
            let Version(major, minor) = version;
            assert_eq!(
                line,
                format!(
                    "Dependency-Track {major}.{minor}.0, key accepted, project Shop 2.1 readable"
                )
            );
            let error = configured(server.url(), selector, "blind")
                .check("it")
                .await
                .unwrap_err();
            assert!(error.contains("VIEW_VULNERABILITY"), "{error}");
        }
        let error = configured(server.url(), "", "wrong")
            .check("it")
            .await
            .unwrap_err();
        assert!(
            error.contains("401") && error.contains("API key of a team"),
            "{error}"
        );
        let below = format!("{}/api/v1", server.url());
        assert!(configured(&below, "", "all").check("it").await.is_ok());
    }
}

#[tokio::test]
async fn the_frontends_address_is_told_from_the_servers() {
    let server = DependencyTrack::new(Version::V4_14)
        .frontend()
        .start()
        .await
        .unwrap();
    let setup = configured(server.url(), "", API_KEY);
    for error in [
        setup.check("it").await.unwrap_err(),
        setup.pull("it").await.error.unwrap(),
        setup.discover("dt").await.unwrap_err(),
    ] {
        assert!(error.contains("frontend has another address"), "{error}");
    }
}

#[tokio::test]
async fn a_prefix_of_a_reverse_proxy_is_kept() {
    let project = big(3);
    let server = DependencyTrack::new(Version::V5_0)
        .project(project.clone())
        .under("/tools/dt");
    let server = server.start().await.unwrap();
    by_key(&server, &project).pull("it").await.is_complete();
}

#[tokio::test]
async fn findings_that_move_between_two_pages_are_read_again_once() {
    let project = big(250);
    let server = started(Version::V5_0, &project).await;
    let (portfolio, uuid) = (server.portfolio(), project.uuid.clone());
    // Requests: the project, page 1, then this one.
    server.before_request(3, move || {
        portfolio.change(&uuid, |project| {
            let mut removed = false;
            project
                .findings
                .remove(|_| !std::mem::replace(&mut removed, true));
        });
    });
    let outcome = by_key(&server, &project).pull("it").await;
    outcome.is_complete();
    // The removed one came in the first reading too; the import keeps it until a run without it.
    assert_eq!(outcome.distinct(), 250);
    // The project; two pages, whose counts differ; all three.
    assert_eq!(server.request_count(), 1 + 2 + 3);
}

/// Every misfortune, on both lines and with a configured project: it ends, and proves nothing.
#[tokio::test]
async fn nothing_is_concluded_from_an_answer_that_went_wrong() {
    for version in [Version::V4_14, Version::V5_0] {
        for misfortune in [
            Misfortune::PermissionLostInTheMiddle,
            Misfortune::KeyRevoked,
            Misfortune::TruncatedJson,
            Misfortune::GarbageBehindJson,
            Misfortune::WrongContentType,
            Misfortune::HtmlLoginPage,
            Misfortune::RepeatedPage,
            Misfortune::EndlessPages,
            Misfortune::ConnectionReset,
            Misfortune::RedirectToAnotherHost,
            Misfortune::OneByteASecond,
        ] {
            // A server of 4.x is asked for findings once.
            let needs_more_pages = matches!(
                misfortune,
                Misfortune::RepeatedPage | Misfortune::PermissionLostInTheMiddle
            );
            let strikes = version >= Version::V5_0 || !needs_more_pages;
            let project = big(250);
            let server = started(version, &project).await;
            server.inflict(misfortune);
            let outcome = by_key(&server, &project).pull("it").await;
            if strikes {
                let reason = outcome.proves_nothing();
                assert!(
                    !reason.contains(API_KEY) && !reason.contains('\n'),
                    "{reason}"
                );
                assert!(server.requests_elsewhere().is_empty());
            } else {
                outcome.is_complete();
            }
        }
    }
}

#[tokio::test]
async fn odd_words_and_types_in_a_row_lose_neither_the_row_nor_the_rest() {
    for version in [Version::V4_14, Version::V5_0] {
        for misfortune in [
            Misfortune::UnknownEnumValues,
            Misfortune::WrongTypesAndNullsInARow,
        ] {
            let project = big(250);
            let server = started(version, &project).await;
            server.inflict(misfortune);
            let outcome = by_key(&server, &project).pull("it").await;
            outcome.is_complete();
            assert_eq!((outcome.distinct(), outcome.unreadable), (250, 0));
        }
    }
}

#[tokio::test]
async fn a_null_among_the_rows_is_counted_and_the_rows_behind_it_are_read() {
    for version in [Version::V4_14, Version::V5_0] {
        let project = big(250);
        let server = started(version, &project).await;
        server.inflict(Misfortune::NullInsteadOfARow);
        let outcome = by_key(&server, &project).pull("it").await;
        assert!(outcome.unreadable > 0);
        assert_eq!(outcome.distinct() as u64 + outcome.unreadable, 250);
    }
}

#[tokio::test]
async fn one_bad_project_does_not_keep_the_others_from_being_read() {
    let server = DependencyTrack::new(Version::V5_0).projects(shop());
    let server = server.start().await.unwrap();
    let projects = server.portfolio().projects();
    let web = projects.iter().find(|one| one.name == "shop-web").unwrap();
    server.inflict_as(Plan::new(Misfortune::TruncatedJson).on(&web.uuid));
    let outcome = configured(server.url(), "", API_KEY).pull("it").await;
    assert_eq!(outcome.error, None);
    assert!(outcome.end_of("shop-web").is_some());
    assert_eq!(outcome.end_of("shop-search"), None);
    assert_eq!(outcome.end_of("shop-checkout"), None);
}

#[tokio::test]
async fn a_key_that_is_revoked_in_the_middle_ends_the_run() {
    let server = DependencyTrack::new(Version::V5_0).projects(shop());
    let server = server.start().await.unwrap();
    server.inflict_as(Plan::new(Misfortune::PermissionLostInTheMiddle).after(2));
    let outcome = configured(server.url(), "", API_KEY).pull("it").await;
    assert_eq!(outcome.ends.len(), 2);
    let error = outcome.error.unwrap();
    assert!(
        error.contains("403") && error.contains("VIEW_VULNERABILITY"),
        "{error}"
    );
}
