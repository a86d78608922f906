use secpull_simulators::dependency_track::{
    API_KEY, Component, DependencyTrack, Finding, Project, Simulator, Version, Vulnerability,
};

/// A finding of a component that is called like its vulnerability's number.
pub(crate) fn finding(number: u32) -> Finding {
    let component = Component {
        uuid: format!("00000000-0000-4000-8000-{number:012}"),
        group: None,
        name: format!("library-{number}"),
        version: Some("1.0".to_owned()),
        purl: Some(format!("pkg:npm/library-{number}@1.0")),
        cpe: None,
        latest_version: None,
    };
    let vulnerability = Vulnerability {
        uuid: format!("10000000-0000-4000-8000-{number:012}"),
        source: "NVD".to_owned(),
        id: format!("CVE-2026-{number:05}"),
        title: Some(format!("Flaw {number}")),
        severity: "HIGH".to_owned(),
        ..Vulnerability::default()
    };
    Finding::new(component, vulnerability, 1_788_220_800_000)
}

/// A project with findings of these numbers.
pub(crate) fn project(name: &str, numbers: impl IntoIterator<Item = u32>) -> Project {
    Project::new(name, Some("1")).with(numbers.into_iter().map(finding).collect::<Vec<_>>())
}

/// A server with these projects.
pub(crate) fn server(version: Version, projects: Vec<Project>) -> Simulator {
    DependencyTrack::new(version)
        .projects(projects)
        .start_blocking()
        .unwrap()
}

/// The table of a tool that is this simulator; more keys may follow it.
pub(crate) fn tool(name: &str, server: &Simulator) -> String {
    format!(
        "[tools.{name}]\nconnector = \"dependency-track\"\nlocation = \"{}\"\nsecret = \"{API_KEY}\"\n",
        server.url()
    )
}
