//! What a notification says, and how each kind of receiver is told it.
//!
//! Belongs here: the facts of a notification, their words, each receiver's form with its limits and its escaping, and the
//! templates that an admin may put in their place. Does not belong here: when somebody is told, reading the store, sending.

mod clean;
mod email;
mod escape;
mod event;
mod facts;
mod samples;
mod slack;
mod teams;
mod template;
mod text;
mod webhook;

pub use email::email_message;
pub use event::Event;
pub use facts::{
    ListedFinding, NewFindings, Notice, Overdue, Recovered, RunFacts, SeverityCount, Trouble,
};
pub use slack::slack_message;
pub use teams::teams_message;
pub use template::{Flavour, TemplateFault, Templates};
pub use text::Words;
pub use webhook::webhook_body;
