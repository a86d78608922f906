//! A short run of every target: the seeds of `fuzz/seeds`, and what comes of changing them.
//!
//! `SECPULL_FUZZ_CASES=1000000 cargo test --lib fuzzing::` runs longer, with other changes each time.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Target, targets};
use crate::connectors;

/// Per target, in CI.
const CASES: u32 = 1500;

/// What the readers look for.
const WORDS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-0.0",
    "1e999",
    "18446744073709551616",
    "-1",
    "\u{feff}",
    "é",
    "\u{0}",
    "\n",
    "\r\n",
    "\"\"",
    "''",
    "'''",
    "=",
    "[[",
    "]]",
    "#",
    "[tools.x]",
    "\"value\":[1,\"0\"]",
    "CVE-2024-1",
    "pkg:npm/%40a/b@1",
    "/",
    "@",
    "0",
    " ",
];

/// A change of an input. Places are relative to its length.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Word(Index, Index),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
    Splice(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), at()).prop_map(|(at, word)| Change::Word(at, word)),
        (at(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (at(), 1..200_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        at().prop_map(Change::Cut),
        (at(), at(), at()).prop_map(|(at, seed, from)| Change::Splice(at, seed, from)),
    ]
}

impl Change {
    fn make(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let place = |at: &Index| at.index(input.len() + 1);
        let part = |at: &Index, length: usize| {
            let start = place(at);
            start..(start + length).min(input.len())
        };
        match self {
            Self::Set(at, byte) => {
                let at = place(at);
                input.splice(at..(at + 1).min(input.len()), [*byte]);
            }
            Self::Word(at, word) => {
                let at = place(at);
                input.splice(at..at, word.get(&WORDS).bytes());
            }
            Self::Remove(at, length) => drop(input.drain(part(at, *length))),
            Self::Repeat(at, length) => {
                let part = part(at, *length);
                let again = input[part.clone()].to_vec();
                input.splice(part.end..part.end, again);
            }
            Self::Cut(at) => input.truncate(place(at)),
            Self::Splice(at, seed, from) => {
                let seed = seed.get(seeds);
                let from = from.index(seed.len() + 1);
                input.truncate(place(at));
                input.extend_from_slice(&seed[from..]);
            }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = folder().join("seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", folder.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn fuzz(name: &str, target: Target) {
    let seeds = seeds(name);
    for seed in &seeds {
        target(seed);
    }
    let more = std::env::var("SECPULL_FUZZ_CASES").ok();
    let config = Config {
        cases: more.as_ref().map_or(CASES, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match more {
        Some(_) => TestRunner::new(config),
        // The same changes each time: a commit is not blamed for what it did not do.
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let cases = (any::<Index>(), prop::collection::vec(change(), 1..8));
    let ran = runner.run(&cases, |(seed, changes)| {
        let mut input = seed.get(&seeds).clone();
        for change in &changes {
            change.make(&mut input, &seeds);
        }
        target(&input);
        Ok(())
    });
    if let Err(proptest::test_runner::TestError::Fail(reason, (seed, changes))) = ran {
        let mut input = seed.get(&seeds).clone();
        for change in &changes {
            change.make(&mut input, &seeds);
        }
        panic!("{name}: {reason}; the input: {}", input.escape_ascii());
    }
}

#[test]
fn no_input_breaks_a_promise() {
    std::thread::scope(|scope| {
        for (name, target) in targets() {
            scope.spawn(move || fuzz(name, target));
        }
    });
}

#[test]
fn every_connector_has_a_target_and_every_target_a_program_for_cargo_fuzz() {
    let names: Vec<_> = targets().map(|(name, _)| name).collect();
    for spec in connectors::specs() {
        assert!(
            names.contains(&spec.name),
            "{} has no target: see PAGE_TARGETS",
            spec.name
        );
    }
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in names {
        let file = format!("fuzz_targets/{}.rs", name.replace('-', "_"));
        let program = fs::read_to_string(folder().join(&file)).unwrap();
        assert!(
            program.contains(&format!("run(\"{name}\"")),
            "{file} runs another target"
        );
        assert!(manifest.contains(&file), "fuzz/Cargo.toml lacks {file}");
    }
}
