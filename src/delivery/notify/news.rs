//! What of a run is news to whom.

use super::audience::Audience;
use crate::config::Notification;
use crate::notice::{
    Event, ListedFinding, NewFindings, Notice, Overdue, Recovered, RunFacts, SeverityCount, Trouble,
};
use crate::store::{EndedRun, NewMessage, PastRun, Run, RunState, Store, StoreError, WantedRun};

/// So many new findings are listed; of the others there is the number.
const MOST_LISTED: u32 = 20;

/// The message about a run, if there is anything to tell.
pub(super) async fn of_run(
    audience: &Audience,
    ended: &EndedRun,
    store: &dyn Store,
) -> Result<Option<NewMessage>, StoreError> {
    let notification = &audience.notification;
    let run = &ended.run;
    let before = store.run_before(run.id, WantedRun::Any).await?;
    let mut events = trouble(notification, ended, before.as_ref());
    let recovered = match recovered(notification, run, before.as_ref()) {
        None if run.status == RunState::Complete => late(audience, run, store).await?,
        recovered => recovered,
    };
    events.extend(recovered.as_ref().map(|_| Event::Recovered));
    let new_findings = new_findings(notification, run, store).await?;
    events.extend(new_findings.as_ref().map(|_| Event::NewFindings));
    if events.is_empty() {
        return Ok(None);
    }
    let api = audience.api(&run.api_configuration);
    let action = action(&events, run, api.map(|api| api.tool.as_str()));
    let told = [
        run.id.to_string(),
        run.status.to_string(),
        format!("{:?}", run.finished_at),
    ];
    let notice = Notice {
        id: audience.id_of(&told),
        events,
        at: run.finished_at.unwrap_or_default(),
        api_configuration: run.api_configuration.clone(),
        connector: ended.connector.clone(),
        product: api.and_then(|api| api.product.clone()),
        run: Some(facts(run)),
        error: run
            .error
            .as_deref()
            .map(|error| Trouble::new(error).into_words()),
        action,
        new_findings,
        recovered,
        not_imported: None,
    };
    Ok(audience.message(&notice))
}

/// What went wrong, unless it has been told of an earlier run.
fn trouble(notification: &Notification, ended: &EndedRun, before: Option<&PastRun>) -> Vec<Event> {
    let run = &ended.run;
    let refused = ended
        .credentials_refused
        .then_some(Event::CredentialsRefused);
    let events = refused.into_iter().chain(event_of(run.status));
    let events: Vec<Event> = events
        .filter(|event| notification.events.contains(event))
        .collect();
    if event_of(run.status).is_none() || before.is_some_and(|before| is_same(ended, before)) {
        return Vec::new();
    }
    events
}

/// The event that a state of a run is.
fn event_of(state: RunState) -> Option<Event> {
    match state {
        RunState::Failed => Some(Event::ImportFailed),
        RunState::Partial => Some(Event::ImportPartial),
        RunState::Held => Some(Event::ImportHeld),
        // Somebody has ended it, or it was none.
        RunState::Interrupted | RunState::Skipped => None,
        RunState::Queued | RunState::Running | RunState::Complete => None,
    }
}

fn is_same(ended: &EndedRun, before: &PastRun) -> bool {
    let gist = |run: &Run| run.error.as_deref().map(|error| Trouble::new(error).gist());
    ended.run.status == before.run.status
        && ended.credentials_refused == before.credentials_refused
        && gist(&ended.run) == gist(&before.run)
}

/// The trouble of the run before, if this one is complete and the trouble was told.
fn recovered(
    notification: &Notification,
    run: &Run,
    before: Option<&PastRun>,
) -> Option<Recovered> {
    let before = before.filter(|_| run.status == RunState::Complete)?;
    let refused = before
        .credentials_refused
        .then_some(Event::CredentialsRefused);
    let from = refused
        .into_iter()
        .chain(event_of(before.run.status))
        .find(|event| notification.events.contains(event))?;
    Some(Recovered {
        from,
        run: Some(before.run.id),
        error: before
            .run
            .error
            .as_deref()
            .map(|error| Trouble::new(error).into_words()),
    })
}

/// The absence that a complete run ends.
async fn late(
    audience: &Audience,
    run: &Run,
    store: &dyn Store,
) -> Result<Option<Recovered>, StoreError> {
    let Some(limit) = audience.patience_with(&run.api_configuration) else {
        return Ok(None);
    };
    let before = store.run_before(run.id, WantedRun::Complete).await?;
    let last = before.and_then(|before| before.run.finished_at);
    let is_late = last
        .zip(run.finished_at)
        .is_some_and(|(last, now)| Overdue::is_over(last, limit, now));
    Ok(is_late.then_some(Recovered {
        from: Event::NotImported,
        run: None,
        error: None,
    }))
}

async fn new_findings(
    notification: &Notification,
    run: &Run,
    store: &dyn Store,
) -> Result<Option<NewFindings>, StoreError> {
    // A new finding has a new sighting.
    if !notification.events.contains(&Event::NewFindings) || run.new == 0 {
        return Ok(None);
    }
    let severity = notification.severity;
    let brought = store.findings_of_run(run, severity, MOST_LISTED).await?;
    let count: u64 = brought.by_severity.iter().map(|(_, count)| count).sum();
    if count == 0 {
        return Ok(None);
    }
    let mut findings = Vec::new();
    for id in brought.first {
        let finding = store.finding(id, false).await?;
        findings.extend(finding.as_ref().map(ListedFinding::of));
    }
    let listed = u64::try_from(findings.len()).unwrap_or(count);
    Ok(Some(NewFindings {
        severity,
        count,
        by_severity: brought
            .by_severity
            .into_iter()
            .map(|(severity, count)| SeverityCount { severity, count })
            .collect(),
        more: count.saturating_sub(listed),
        findings,
    }))
}

fn action(events: &[Event], run: &Run, tool: Option<&str>) -> Option<String> {
    if events.contains(&Event::CredentialsRefused) {
        return Some(format!("secpull check {}", tool?));
    }
    if events.contains(&Event::ImportHeld) {
        return Some(format!("secpull accept {}", run.api_configuration));
    }
    None
}

fn facts(run: &Run) -> RunFacts {
    RunFacts {
        id: run.id,
        status: run.status.to_string(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        new: run.new,
        updated: run.updated,
        unchanged: run.unchanged,
        resolved: run.resolved,
        reopened: run.reopened,
        unreadable: run.unreadable,
    }
}
