use secpull_simulators::semgrep::{API_TOKEN, Project, Semgrep, Simulator};

/// A deployment with these projects.
pub(crate) fn deployment(projects: Vec<Project>) -> Simulator {
    Semgrep::new().projects(projects).start_blocking().unwrap()
}

/// The table of a tool that is this simulator; more keys may follow it.
pub(crate) fn tool(name: &str, simulator: &Simulator) -> String {
    format!(
        "[tools.{name}]\nconnector = \"semgrep\"\nlocation = \"{}/api/v1/\"\nsecret = \"{API_TOKEN}\"\nproxy = \"none\"\n",
        simulator.url(),
    )
}
