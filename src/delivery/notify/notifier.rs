use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::audience::Audience;
use super::failure::Failure;
use super::{mail, news, overdue, post};
use crate::config::{Config, Receiver};
use crate::delivery::{Deliverer, Desk, Occasion, Outcome};
use crate::notice::{Event, Notice};
use crate::store::{EndedRun, Message, NewMessage, Store, StoreError};

/// After so long a message is no news any more.
const EXPIRES_AFTER: TimeDelta = TimeDelta::days(3);

/// One `[notifications.NAME]`.
struct Notifier {
    audience: Audience,
    /// The first round that was looked at: since then it is known what is not imported.
    first_round: OnceLock<DateTime<Utc>>,
}

/// A deliverer for each `[notifications.NAME]`.
#[must_use]
pub(in crate::delivery) fn notifiers(config: &Config) -> Vec<Arc<dyn Deliverer>> {
    let notifiers = config.notifications.values().map(|notification| {
        let notifier: Arc<dyn Deliverer> = Arc::new(Notifier {
            audience: Audience::of(notification, config),
            first_round: OnceLock::new(),
        });
        notifier
    });
    notifiers.collect()
}

impl Notifier {
    async fn send(&self, notice: &Notice, now: DateTime<Utc>) -> Result<(), Failure> {
        let templates = &self.audience.notification.templates;
        match &self.audience.notification.receiver {
            Receiver::Webhook { hook, key, headers } => {
                post::webhook(hook, key.as_ref(), headers, notice, templates, now).await
            }
            Receiver::Slack(hook) => post::slack(hook, notice, templates).await,
            Receiver::Teams(hook) => post::teams(hook, notice, templates).await,
            Receiver::Email(mail) => mail::send(mail, notice, templates).await,
        }
    }

    /// The notice without findings that were told when their run was held: it is announced again when it is accepted.
    async fn without_what_was_told(
        &self,
        mut notice: Notice,
        desk: &Desk<'_>,
    ) -> Result<Notice, StoreError> {
        if let Some(told) = told_findings(&notice)
            && let Some(state) = desk.state(&told.topic).await?
            && state != told.state
            && state.starts_with(&told.run)
        {
            notice.new_findings = None;
            notice.events.retain(|event| *event != Event::NewFindings);
        }
        Ok(notice)
    }
}

/// What is remembered of the findings that were told last.
struct ToldFindings {
    topic: String,
    /// The run and a space.
    run: String,
    /// That, and by which notice.
    state: String,
}

fn told_findings(notice: &Notice) -> Option<ToldFindings> {
    notice.new_findings.as_ref()?;
    let run = format!("{} ", notice.run.as_ref()?.id);
    Some(ToldFindings {
        topic: format!("findings of {}", notice.api_configuration),
        state: format!("{run}{}", notice.id),
        run,
    })
}

#[async_trait]
impl Deliverer for Notifier {
    fn destination(&self) -> &str {
        &self.audience.destination
    }

    async fn on_run(
        &self,
        run: &EndedRun,
        store: &dyn Store,
    ) -> Result<Vec<NewMessage>, StoreError> {
        if !self
            .audience
            .notification
            .from
            .is_match(&run.run.api_configuration)
        {
            return Ok(Vec::new());
        }
        let message = news::of_run(&self.audience, run, store).await?;
        Ok(message.into_iter().collect())
    }

    async fn on_round(
        &self,
        now: DateTime<Utc>,
        store: &dyn Store,
    ) -> Result<Vec<Occasion>, StoreError> {
        let since = *self.first_round.get_or_init(|| now);
        overdue::occasions(&self.audience, since, now, store).await
    }

    async fn deliver(&self, message: &Message, desk: &Desk<'_>) -> Outcome {
        let notice: Notice = match serde_json::from_str(&message.content) {
            Ok(notice) => notice,
            Err(error) => {
                return Outcome::GivenUp {
                    problem: format!("another version of secpull has written it: {error}"),
                };
            }
        };
        let notice = match self.without_what_was_told(notice, desk).await {
            Ok(notice) if notice.events.is_empty() => return Outcome::Delivered,
            Ok(notice) => notice,
            Err(error) => {
                return Outcome::Later {
                    problem: error.to_string(),
                    after: None,
                };
            }
        };
        if let Err(failure) = self.send(&notice, desk.now()).await {
            if desk.now() - message.since > EXPIRES_AFTER {
                return Outcome::GivenUp {
                    problem: failure.problem,
                };
            }
            return failure.into();
        }
        if let Some(told) = told_findings(&notice)
            && let Err(error) = desk.keep_state(&told.topic, &told.state).await
        {
            // It has been told, and is told again at worst.
            tracing::warn!("{}: {error}", self.audience.destination);
        }
        Outcome::Delivered
    }
}
