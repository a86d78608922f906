//! The command line: grammar, tables, progress, exports, exit codes.
//!
//! Belongs here: whatever is for people at a terminal or for their scripts. Does not belong here: what an import does, what
//! is due, what the store holds; commands ask the daemon, or the floors below, and print what they hear.

mod args;
mod check;
mod connectors;
mod context;
mod control;
mod discover;
mod failure;
mod findings;
mod format;
mod listing;
mod logging;
mod manual;
mod migrate_store;
mod output;
mod run;
mod runs;
mod status;
mod table;
mod text;
mod waiting;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use context::Context;
use failure::{Exit, Failure};
use output::{Notes, Output};

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    forbid_core_dumps();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are told this way too, and go to standard output.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Complete
            };
            let _closed = error.print();
            return exit.into();
        }
    };
    let notes = Notes::standard();
    if matches!(arguments.command, Command::Daemon) {
        if arguments.socket.is_some() {
            notes.error("--socket is for the other commands: the daemon's own is [control] socket");
            return Exit::Usage.into();
        }
        return crate::daemon::run(&arguments.config);
    }
    logging::start(notes.clone());
    let mut context = Context {
        config: arguments.config,
        socket: arguments.socket,
        output: Output::standard(notes.clone()),
    };
    let end = runtime(&arguments.command)
        .map_err(Failure::from)
        .and_then(|runtime| {
            let end = runtime.block_on(run(&mut context, arguments.command));
            // A name lookup that hangs in a thread must not hold the process.
            runtime.shutdown_background();
            end
        })
        .and_then(|exit| {
            context.output.flush()?;
            Ok(exit)
        });
    end.unwrap_or_else(|failure| {
        // What was printed before the failure is true and belongs before it.
        let _closed = context.output.flush();
        for line in &failure.lines {
            notes.error(line);
        }
        failure.exit
    })
    .into()
}

/// Memory holds credentials: no crash writes it to a file, and no other process of the same user reads it. The second
/// also stops core dumps that the kernel hands to a program, which pay no heed to the limit.
fn forbid_core_dumps() {
    // A system that refuses may have no core dumps at all; it is no reason to do nothing.
    let _refused = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    let _refused = nix::sys::prctl::set_dumpable(false);
}

/// Imports and checks use all cores; everything else starts faster on one.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Run(run) if run.standalone => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

async fn run(context: &mut Context, command: Command) -> Result<Exit, Failure> {
    match command {
        // Has its own way of starting: see `main`.
        Command::Daemon => Ok(Exit::Complete),
        Command::Run(arguments) => run::run(context, &arguments).await,
        Command::Check(arguments) => check::run(context, &arguments).await,
        Command::Discover(arguments) => discover::run(context, &arguments).await,
        Command::Status(listing) => status::run(context, listing.format).await,
        Command::Runs(arguments) => runs::run(context, &arguments).await,
        Command::Findings(arguments) => findings::run(context, *arguments).await,
        Command::Accept { name } => control::accept(context, &name).await,
        Command::MigrateStore { from, to } => migrate_store::run(context, &from, &to).await,
        Command::Connectors(arguments) => connectors::run(context, &arguments),
        Command::Reload(listing) => control::reload(context, listing.format).await,
        Command::Completions { shell } => manual::completions(context, shell),
        Command::Man { out } => manual::man(context, out.as_deref()),
    }
}
