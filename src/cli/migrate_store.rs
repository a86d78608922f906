//! `secpull migrate-store`: from SQLite to PostgreSQL.

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::config::StoreUrl;
use crate::store;

pub(super) async fn run(context: &mut Context, from: &str, to: &str) -> Result<Exit, Failure> {
    let url = |text: &str| -> Result<StoreUrl, Failure> {
        text.parse().map_err(|wrong: String| {
            // The text may hold a password.
            Failure::usage(format!("the URL of a store is wrong: it {wrong}"))
        })
    };
    let (from, mut to) = (url(from)?, url(to)?);
    if let StoreUrl::Postgres(to) = &mut to {
        if to.password.is_some() {
            return Err(Failure::usage(
                "a password on the command line is seen by everybody on this machine: leave it out, and put it into [store] password of the configuration",
            ));
        }
        to.password = context.store_password()?;
    }
    let rows = store::migrate(&from, &to).await?;
    context.output.line(format!(
        "{rows} rows moved; now set [store] url, and keep the old file until you have seen `secpull status`"
    ))?;
    Ok(Exit::Complete)
}
