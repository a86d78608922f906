//! Who wants to be told is told: by webhook, in Slack or Teams, by e-mail.
//!
//! Belongs here: what of a run is news to whom, and handing a message to its receiver. Does not belong here: a message's
//! words and form, which are [`crate::notice`]'s.

mod audience;
mod failure;
mod mail;
mod news;
mod notifier;
mod overdue;
mod post;

pub(super) use notifier::notifiers;

#[cfg(test)]
mod tests;
