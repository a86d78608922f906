use secpull_simulators::checkmarx_one::{API_KEY, CheckmarxOne, Project, Simulator, TENANT};

/// A tenant with these projects.
pub(crate) fn tenant(projects: Vec<Project>) -> Simulator {
    CheckmarxOne::new()
        .projects(projects)
        .start_blocking()
        .unwrap()
}

/// The table of a tool that is this simulator; more keys may follow it.
pub(crate) fn tool(name: &str, simulator: &Simulator) -> String {
    format!(
        "[tools.{name}]\nconnector = \"checkmarx-one\"\nlocation = \"{}\"\niam_location = \"{}\"\n\
         tenant = \"{}\"\nsecret = \"{API_KEY}\"\nproxy = \"none\"\n",
        simulator.url(),
        simulator.iam().url(),
        TENANT.to_uppercase(),
    )
}
