//! What waits to be delivered, as people read it.

use chrono::{DateTime, Utc};

use super::text::{clean, count, relative};
use crate::daemon::control::api::WaitingStatus;

/// One destination on one line.
pub(crate) fn words(waiting: &WaitingStatus, now: DateTime<Utc>) -> String {
    let messages = count(waiting.messages, "message");
    let since = relative(waiting.since, now);
    let mut words = format!(
        "{}: {messages}, the oldest of {since}",
        clean(&waiting.destination)
    );
    if !waiting.configured {
        words.push_str("; not configured any more, so kept until it is again");
        return words;
    }
    words.push_str(&match waiting.attempts {
        0 => "; not tried yet".to_owned(),
        tries => format!("; tried {}", times(tries)),
    });
    if let Some(at) = waiting.next_attempt_at.filter(|at| *at > now) {
        words.push_str(&format!(", again {}", relative(at, now)));
    }
    if let Some(problem) = &waiting.problem {
        words.push_str(&format!(": {}", clean(problem)));
    }
    words
}

fn times(number: u32) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        number => format!("{number} times"),
    }
}

/// Three messages that a destination does not take.
#[cfg(test)]
pub(crate) fn sample() -> WaitingStatus {
    WaitingStatus {
        destination: "forwards.dojo".to_owned(),
        configured: true,
        messages: 3,
        since: DateTime::UNIX_EPOCH,
        attempts: 5,
        problem: Some("POST https://dojo.example.com/: 502 Bad Gateway".to_owned()),
        next_attempt_at: None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_line_says_what_waits_since_when_why_and_when_it_is_tried_again() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(3);
        let failing = WaitingStatus {
            next_attempt_at: Some(now + TimeDelta::minutes(20)),
            problem: Some("502\u{1b}[31m Bad\nGateway".to_owned()),
            ..sample()
        };
        assert_eq!(
            words(&failing, now),
            "forwards.dojo: 3 messages, the oldest of 3 h ago; tried 5 times, again in 20 min: 502[31m Bad Gateway"
        );
        // Its time has come: it is about to be tried.
        let due = WaitingStatus {
            next_attempt_at: Some(now),
            problem: None,
            attempts: 1,
            messages: 1,
            ..sample()
        };
        assert_eq!(
            words(&due, now),
            "forwards.dojo: 1 message, the oldest of 3 h ago; tried once"
        );
        let new = WaitingStatus {
            attempts: 0,
            problem: None,
            ..sample()
        };
        assert!(words(&new, now).ends_with("; not tried yet"));
    }

    #[test]
    fn a_destination_that_is_gone_is_said_to_be() {
        let gone = WaitingStatus {
            configured: false,
            ..sample()
        };
        let words = words(&gone, DateTime::UNIX_EPOCH);
        assert!(words.ends_with("; not configured any more, so kept until it is again"));
    }
}
