use secpull_simulators::snyk::{API_KEY, Simulator, Snyk, World};

/// A simulator that serves this.
pub(crate) fn serving(world: World) -> Simulator {
    Snyk::new(world).start_blocking().unwrap()
}

/// The table of a tool that is this simulator; more keys may follow it.
pub(crate) fn tool(name: &str, simulator: &Simulator) -> String {
    format!(
        "[tools.{name}]\nconnector = \"snyk\"\nlocation = \"{}\"\nsecret = \"{API_KEY}\"\nproxy = \"none\"\n",
        simulator.rest()
    )
}
