//! API configurations that nobody has imported for too long.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::audience::Audience;
use crate::delivery::Occasion;
use crate::notice::{Event, Notice, Overdue};
use crate::store::{LastImport, Store, StoreError};

/// Each outage that has lasted too long by now; told once for ever, however often it is found.
pub(super) async fn occasions(
    audience: &Audience,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    store: &dyn Store,
) -> Result<Vec<Occasion>, StoreError> {
    if audience.watched().next().is_none() {
        return Ok(Vec::new());
    }
    let imports = store.last_imports().await?;
    let imports: BTreeMap<&str, &LastImport> = imports
        .iter()
        .map(|import| (import.api_configuration.as_str(), import))
        .collect();
    let mut occasions = Vec::new();
    for (api, connector, limit) in audience.watched() {
        let import = imports.get(api.name.as_str());
        let last_complete_at = import.and_then(|import| import.last_complete_at);
        let first_run_at = import.and_then(|import| import.first_run_at);
        // One that was never complete is waited for since it was first tried, or since it has been watched.
        let waited_since = last_complete_at.or(first_run_at).unwrap_or(since);
        if !Overdue::is_over(waited_since, limit, now) {
            continue;
        }
        let outage = match last_complete_at {
            Some(at) => at.timestamp_millis().to_string(),
            None => "never".to_owned(),
        };
        let key = format!(
            "{}/not_imported/{}/{outage}",
            audience.destination, api.name
        );
        let notice = Notice {
            id: audience.id_of(&["not imported".to_owned(), api.name.clone(), outage]),
            events: vec![Event::NotImported],
            at: now,
            api_configuration: api.name.clone(),
            connector: connector.to_owned(),
            product: api.product.clone(),
            run: None,
            error: None,
            action: Some(format!("secpull run {}", api.name)),
            new_findings: None,
            recovered: None,
            not_imported: Some(Overdue {
                last_complete_at,
                limit_seconds: limit.as_secs(),
            }),
        };
        occasions.push(Occasion {
            key,
            messages: audience.message(&notice).into_iter().collect(),
        });
    }
    Ok(occasions)
}
