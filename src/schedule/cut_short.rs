//! Slots whose imports were cut short by the end of the daemon.

use crate::store::{Run, RunState, Trigger};

/// So many tries that the daemon did not survive are enough: an import that ends whoever runs it is not begun for ever.
const MOST_TRIES: usize = 3;

/// Whether an API configuration has lost its slot to the end of a daemon, and should get another import. `runs` are its
/// newest ones, the newest first. What an operator asked for is not begun again: he has seen it end.
#[must_use]
pub fn was_cut_short(runs: &[Run]) -> bool {
    let is_lost = |run: &&Run| matches!(run.status, RunState::Interrupted | RunState::Skipped);
    let lost: Vec<_> = runs.iter().take_while(is_lost).collect();
    let interrupted = || {
        lost.iter()
            .filter(|run| run.status == RunState::Interrupted)
    };
    let tries = interrupted().filter(|run| run.started_at.is_some()).count();
    let had_slot = |run: &&Run| matches!(run.trigger, Trigger::Schedule | Trigger::CatchUp);
    interrupted().next().is_some() && lost.iter().any(had_slot) && tries <= MOST_TRIES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::DateTime;

    use super::*;

    fn run(trigger: Trigger, status: RunState) -> Run {
        Run {
            id: 1,
            api_configuration: "shop".to_owned(),
            trigger,
            status,
            started_at: Some(DateTime::UNIX_EPOCH),
            finished_at: None,
            new: 0,
            updated: 0,
            unchanged: 0,
            resolved: 0,
            reopened: 0,
            unreadable: 0,
            pages: 0,
            requests: 0,
            retries: 0,
            daemon: "host:1".to_owned(),
            error: None,
        }
    }

    fn scheduled(status: RunState) -> Run {
        run(Trigger::Schedule, status)
    }

    #[test]
    fn an_interrupted_slot_is_one_until_a_later_import_came_to_its_own_end() {
        assert!(was_cut_short(&[scheduled(RunState::Interrupted)]));
        for end in [RunState::Complete, RunState::Failed, RunState::Held] {
            let runs = [scheduled(end), scheduled(RunState::Interrupted)];
            assert!(!was_cut_short(&runs), "{end}");
        }
        assert!(!was_cut_short(&[]));
    }

    #[test]
    fn what_an_operator_asked_for_is_none() {
        let asked = run(Trigger::Operator, RunState::Interrupted);
        assert!(!was_cut_short(std::slice::from_ref(&asked)));
        // Unless a slot came meanwhile, and was left to it.
        assert!(was_cut_short(&[scheduled(RunState::Skipped), asked]));
    }

    #[test]
    fn what_ended_three_daemons_gets_one_more_and_no_further_try() {
        let mut runs = vec![scheduled(RunState::Interrupted); 3];
        assert!(was_cut_short(&runs));
        runs.push(run(Trigger::CatchUp, RunState::Interrupted));
        assert!(!was_cut_short(&runs));
    }

    #[test]
    fn a_run_that_never_began_is_no_try() {
        let waited = Run {
            started_at: None,
            ..scheduled(RunState::Interrupted)
        };
        assert!(was_cut_short(&vec![waited; 9]));
    }
}
