//! The engines, and whose a row is.

/// The engines that can be configured, as scans name them; microengines find secrets and rate repositories.
pub(super) const ENGINES: &[&str] = &["sast", "sca", "kics", "containers", "microengines"];

/// Other names of an engine.
const ALIASES: &[(&str, &str)] = &[
    ("scs", "microengines"),
    ("sscs", "microengines"),
    ("container", "containers"),
];

/// An engine's name as it is in [`ENGINES`], or as the tool gave it.
pub(super) fn name_of(engine: &str) -> String {
    let engine = engine.trim().to_ascii_lowercase();
    let known = ALIASES.iter().find(|(alias, _)| *alias == engine);
    known.map_or(engine, |(_, name)| (*name).to_owned())
}

pub(super) fn is_known(engine: &str) -> bool {
    ENGINES.contains(&engine)
}

/// Who found a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// One of [`ENGINES`].
    Engine(&'static str),
    /// A type of row that secpull does not know.
    Unknown(String),
}

/// Who found a row of this type in a scan by these engines.
pub(super) fn owner(kind: &str, engines: &[String]) -> Owner {
    let has = |engine: &str| engines.iter().any(|one| one == engine);
    match kind {
        "sast" => Owner::Engine("sast"),
        "kics" => Owner::Engine("kics"),
        "sca" => Owner::Engine("sca"),
        // Found by SCA until containers had an engine of their own; both spellings are alive.
        "sca-container" | "containers" | "container" if has("sca") && !has("containers") => {
            Owner::Engine("sca")
        }
        "sca-container" | "containers" | "container" => Owner::Engine("containers"),
        kind if kind.starts_with("sscs") || kind.starts_with("scs") => {
            Owner::Engine("microengines")
        }
        other => Owner::Unknown(other.to_owned()),
    }
}

/// Which engines an API configuration wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted(pub(super) Vec<&'static str>);

impl Wanted {
    pub(super) fn of(list: &[String]) -> Self {
        let named = |engine: &&&str| list.iter().any(|one| one == **engine);
        let wanted: Vec<_> = ENGINES.iter().filter(named).copied().collect();
        Self(if wanted.is_empty() {
            ENGINES.to_vec()
        } else {
            wanted
        })
    }

    /// Who wants all wants also those that secpull does not know yet.
    pub(super) fn includes(&self, engine: &str) -> bool {
        self.0.contains(&engine) || (self.is_all() && !is_known(engine))
    }

    pub(super) fn is_all(&self) -> bool {
        self.0.len() == ENGINES.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_a_container_is_of_whichever_engine_looked_into_containers() {
        let engines = |names: &[&str]| names.iter().map(|n| name_of(n)).collect::<Vec<_>>();
        for kind in ["sca-container", "containers"] {
            assert_eq!(
                owner(kind, &engines(&["sca"])),
                Owner::Engine("sca"),
                "{kind}"
            );
            assert_eq!(
                owner(kind, &engines(&["SCA", "containers"])),
                Owner::Engine("containers"),
                "{kind}"
            );
        }
        assert_eq!(
            owner("sscs-secret-detection", &engines(&["scs"])),
            Owner::Engine("microengines")
        );
        assert_eq!(owner("dast", &[]), Owner::Unknown("dast".to_owned()));
    }

    #[test]
    fn who_wants_all_engines_wants_new_ones_too() {
        let all = Wanted::of(&[]);
        assert!(all.includes("sast") && all.includes("apisec"));
        let one = Wanted::of(&["sast".to_owned()]);
        assert!(one.includes("sast") && !one.includes("sca") && !one.includes("apisec"));
    }
}
