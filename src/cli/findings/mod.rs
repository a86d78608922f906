//! `secpull findings`: lists findings, or shows one.

mod documents;
mod export;
mod filters;
mod format;
mod row;
mod show;
mod source;
mod writer;

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::{Exit, Failure};
use super::format::Listing;
use filters::Filters;
use format::{FindingsFormat, FindingsListing};
use source::Source;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "\
Resolved findings are not listed unless asked for. Several values of one filter are alternatives; different filters must all
pass. The list comes from the daemon; without one it is read from the store.

Examples:
  secpull findings --severity critical,high
  secpull findings --product Shop --status open --format csv > shop.csv
  secpull findings --vulnerability CVE-2021-44228 --status all
  secpull findings --since 7d --format jsonl | jq -r .title
  secpull findings --product Shop --format sarif > shop.sarif
  secpull findings --product Shop --format defectdojo > shop.json   # Generic Findings Import
  secpull findings show 42"
)]
pub(crate) struct FindingsArguments {
    #[command(flatten)]
    filters: Filters,

    #[command(flatten)]
    listing: FindingsListing,

    #[command(subcommand)]
    command: Option<FindingsCommand>,
}

#[derive(Debug, Subcommand)]
enum FindingsCommand {
    /// Show one finding: all that is known, its sightings and its history
    Show {
        /// The finding's number, as listed
        id: i64,

        /// With the vendors' own JSON
        #[arg(long)]
        raw: bool,

        #[command(flatten)]
        listing: Listing,
    },
}

pub(super) async fn run(
    context: &mut Context,
    arguments: FindingsArguments,
) -> Result<Exit, Failure> {
    if let Some(FindingsCommand::Show { id, raw, listing }) = arguments.command {
        refuse_raw(raw, listing.format.into())?;
        return show::run(context, id, raw, listing.format).await;
    }
    let format = arguments.listing.format;
    let filter = arguments.filters.into_filter();
    refuse_raw(filter.raw, format)?;
    let mut source = Source::open(context, filter).await?;
    let output = &mut context.output;
    let mut writer = export::writer(format, output.look());
    writer.begin(output)?;
    while let Some(line) = source.next().await? {
        writer.finding(output, &line)?;
        output.flush_sometimes()?;
    }
    writer.end(output)?;
    Ok(Exit::Complete)
}

/// The vendor's JSON has a place in our own JSON only.
fn refuse_raw(raw: bool, format: FindingsFormat) -> Result<(), Failure> {
    if raw && !matches!(format, FindingsFormat::Json | FindingsFormat::Jsonl) {
        return Err(Failure::usage(
            "--raw needs --format json or --format jsonl: the vendor's JSON has no place in other formats",
        ));
    }
    Ok(())
}
