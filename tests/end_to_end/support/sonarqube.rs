use secpull_simulators::sonarqube::{Edition, ORGANIZATION, Project, Simulator, SonarQube, TOKEN};

/// A server of this year.
pub(crate) const NEW: Edition = Edition::Server("2025.4.3.113915");

/// A server, or Cloud, with these projects.
pub(crate) fn server(edition: Edition, projects: Vec<Project>) -> Simulator {
    SonarQube::new(edition)
        .projects(projects)
        .start_blocking()
        .unwrap()
}

/// The table of a tool that is this simulator; more keys may follow it.
pub(crate) fn tool(name: &str, simulator: &Simulator, edition: Edition) -> String {
    let organization = match edition {
        Edition::Cloud => format!("organization = \"{ORGANIZATION}\"\n"),
        Edition::Server(_) => String::new(),
    };
    format!(
        "[tools.{name}]\nconnector = \"sonarqube\"\nlocation = \"{}\"\nsecret = \"{TOKEN}\"\nproxy = \"none\"\n\
         {organization}",
        simulator.url()
    )
}
