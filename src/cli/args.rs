//! The command line's grammar and its help: completions and man pages are made from it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::findings::FindingsArguments;
use super::format::Listing;

const EXIT_CODES: &str = "\
Exit codes:
  0  done; every import that was waited for is complete
  1  an import failed, was partial, held, interrupted or skipped; a check failed; the daemon refused
  2  usage or configuration error
  3  the daemon cannot be reached

Examples:
  secpull check                                  is the configuration right, do the tools answer?
  secpull run shop                               import now, and watch it
  secpull status                                 what was imported, what comes next, what is wrong
  secpull findings --severity critical,high      what there is to do";

/// Pulls findings out of security tools' APIs on a schedule and keeps them, deduplicated, in one local store
#[derive(Debug, Parser)]
#[command(
    name = "secpull",
    version,
    after_long_help = EXIT_CODES,
    max_term_width = 110,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    /// Configuration: a TOML file, or a folder with secpull.toml and conf.d/*.toml
    #[arg(
        long,
        global = true,
        env = "SECPULL_CONFIG",
        default_value = "/etc/secpull",
        value_name = "PATH",
        help_heading = "Global options"
    )]
    pub(crate) config: PathBuf,

    /// The daemon's control socket, if not the one that the configuration names
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        help_heading = "Global options"
    )]
    pub(crate) socket: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the service: schedule and control socket
    ///
    /// Imports each API configuration at its hour and minute (UTC), and answers the other commands at the control socket.
    /// Meant to be started by systemd; in a terminal it does the same and logs to it. SIGHUP reloads the configuration,
    /// SIGTERM and Ctrl-C end it within ten seconds.
    Daemon,

    /// Import now, and show the progress until it is done
    ///
    /// Asks the daemon to import, and shows how far it is: bars on a terminal, a line now and then in a pipe, both on
    /// standard error. The summary at the end goes to standard output. Ctrl-C stops watching; the import goes on in the
    /// daemon.
    #[command(
        override_usage = "secpull run [OPTIONS] <NAME>...\n       secpull run [OPTIONS] --all",
        after_long_help = "\
Examples:
  secpull run shop payments          import these two, and wait
  secpull run --all --detach         start all, print the runs' numbers, do not wait
  secpull run shop --standalone      import in this process, without a daemon
  secpull run shop --format json     the summary as JSON

Exit code 0 only if every import is complete."
    )]
    Run(RunArguments),

    /// Validate the configuration, then connect and authenticate to each tool
    ///
    /// Prints a line for the configuration, each tool and each API configuration. Tells all mistakes of the configuration at
    /// once, each with file, line and key.
    #[command(after_long_help = "\
Examples:
  secpull check                                  everything
  secpull check dtrack                           one tool, or one API configuration
  secpull --config new.toml check --offline      only the configuration, before a reload")]
    Check(CheckArguments),

    /// List a tool's records, and where each would be filed
    ///
    /// A record is the vendor's own project, site, target or app. Asks the tool itself; needs no daemon.
    #[command(after_long_help = "\
Examples:
  secpull discover dtrack
  secpull discover dtrack --format csv > records.csv")]
    Discover(DiscoverArguments),

    /// Show each API configuration: last import, next import, records, problems
    #[command(after_long_help = "\
Examples:
  secpull status
  secpull status --format jsonl | jq -r 'select(.held > 0) | .api_configuration'

Without a daemon it shows what store and configuration know, and exits with 3.")]
    Status(Listing),

    /// List imports, newest first
    #[command(after_long_help = "\
Examples:
  secpull runs                       the last 20 of all
  secpull runs shop --limit 5
  secpull runs --all --format csv > runs.csv")]
    Runs(RunsArguments),

    /// List findings, or show one with its history
    Findings(Box<FindingsArguments>),

    /// Let a held import resolve what it would have resolved
    ///
    /// An import that would resolve suspiciously many findings is held: it resolves nothing and waits. If the findings are
    /// truly gone, accept it.
    #[command(after_long_help = "\
Example:
  secpull status                     says what is held, and why
  secpull accept shop")]
    Accept {
        /// API configuration whose last import is held
        name: String,
    },

    /// Move a SQLite store into an empty PostgreSQL database, with nothing lost
    ///
    /// Stop the daemon first. The old file is left as it is. The password for the new store is taken from [store] password
    /// of the configuration.
    #[command(after_long_help = "\
Example:
  secpull migrate-store sqlite:/var/lib/secpull/secpull.db postgres://secpull@db.example.com/secpull")]
    MigrateStore {
        /// URL of the store to move
        from: String,
        /// URL of the empty database that it is moved into
        to: String,
    },

    /// List the connectors, or describe one: settings, permissions to grant
    #[command(after_long_help = "\
Examples:
  secpull connectors
  secpull connectors dependency-track")]
    Connectors(ConnectorsArguments),

    /// Make the daemon load its configuration again
    ///
    /// If the new configuration is wrong, the daemon keeps the old one, and this prints every mistake and exits with 2.
    Reload(Listing),

    /// Print completions for a shell
    #[command(after_long_help = "\
Examples:
  secpull completions bash > /etc/bash_completion.d/secpull
  secpull completions zsh > /usr/share/zsh/vendor-completions/_secpull")]
    Completions {
        /// Shell
        shell: Shell,
    },

    /// Print the man page, or write all pages into a folder
    #[command(after_long_help = "\
Examples:
  secpull man | man -l -
  secpull man --out /usr/share/man/man1")]
    Man {
        /// Write a page for secpull and one for each command into this folder, which must exist
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// API configurations to import
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(crate) names: Vec<String>,

    /// Every API configuration, also where automatic import is off
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,

    /// Do not wait: print the numbers of the runs
    #[arg(long, conflicts_with = "standalone")]
    pub(crate) detach: bool,

    /// Import in this process, without a daemon; Ctrl-C interrupts the import
    #[arg(long)]
    pub(crate) standalone: bool,

    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Only these tools and API configurations
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Stop after the configuration: connect to nothing
    #[arg(long)]
    pub(crate) offline: bool,

    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct DiscoverArguments {
    /// Tool, as named in the configuration
    pub(crate) tool: String,

    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    /// Only imports of this API configuration
    pub(crate) name: Option<String>,

    /// At most so many
    #[arg(long, default_value_t = 20, value_name = "N", conflicts_with = "all")]
    pub(crate) limit: u32,

    /// All of them
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorsArguments {
    /// Connector to describe
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) listing: Listing,
}
