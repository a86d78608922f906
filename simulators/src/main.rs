//! `secpull-simulators`: the simulated tools as a process of its own, for the quick start and for trying things out.

mod tools;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Parser;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

use self::tools::{Served, TOOLS, Tool};

/// Simulated security tools on loopback. Prints one JSON line for each with its URL and what it takes as credentials; runs until
/// SIGTERM, SIGINT or the end of standard input.
#[derive(Debug, Parser)]
#[command(version, after_help = format!("TOOL is one of: {}", names()))]
struct Arguments {
    /// A tool, or a tool and the address where it listens; without one it takes a free port of this machine.
    #[arg(value_name = "TOOL[=ADDRESS]", required_unless_present = "all")]
    tools: Vec<Asked>,
    /// Every tool that there is.
    #[arg(long)]
    all: bool,
    /// Serve so many generated findings beside the shop's.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    many: u32,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    tool: &'static Tool,
    address: SocketAddr,
}

impl Asked {
    fn anywhere(tool: &'static Tool) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Self { tool, address }
    }
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = match text.split_once('=') {
            Some((name, address)) => (name, Some(address)),
            None => (text, None),
        };
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == name)
            .ok_or_else(|| format!("there is no {name:?}; allowed: {}", names()))?;
        let mut asked = Self::anywhere(tool);
        if let Some(address) = address {
            asked.address = address
                .parse()
                .map_err(|error| format!("{address:?}: {error}"))?;
        }
        Ok(asked)
    }
}

fn names() -> String {
    let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
    names.join(", ")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if that fails.
            let _ = writeln!(io::stderr(), "secpull-simulators: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut asked = arguments.tools;
    if arguments.all {
        asked.extend(TOOLS.iter().map(Asked::anywhere));
    }
    let mut served = Vec::new();
    for Asked { tool, address } in asked {
        let started = (tool.start)(address, arguments.many).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
        })?;
        say(tool.name, &started)?;
        served.push(started);
    }

    let (mut input, mut buffer) = (tokio::io::stdin(), [0; 64]);
    loop {
        tokio::select! {
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
            read = input.read(&mut buffer) => if read? == 0 { break },
        }
    }
    drop(served);
    // The runtime would wait for the thread that still reads standard input.
    std::process::exit(0)
}

fn say(name: &str, served: &Served) -> io::Result<()> {
    let mut line = served.credentials.clone();
    line.insert("simulator".to_owned(), name.into());
    line.insert("url".to_owned(), served.url.clone().into());
    let mut output = io::stdout();
    writeln!(output, "{}", serde_json::Value::Object(line))?;
    output.flush()
}
