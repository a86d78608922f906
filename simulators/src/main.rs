//! `secpull-simulators`: the simulated tools as a process of its own, for the quick start and for trying things out.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use secpull_simulators::burp;
use secpull_simulators::dependency_track::{API_KEY, DependencyTrack, Project, Version};
use secpull_simulators::prometheus::Prometheus;
use secpull_simulators::scenario;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// Simulated security tools on loopback. Prints one JSON line for each with its URL; runs until SIGTERM, SIGINT or the end of
/// standard input.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address of a Dependency-Track; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    dependency_track: Option<SocketAddr>,
    /// Answer as this line of servers does.
    #[arg(long, value_enum, default_value_t = Line::V5)]
    dependency_track_version: Line,
    /// Address of a Prometheus that scrapes Trivy Operator; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    prometheus: Option<SocketAddr>,
    /// Address of a Burp Suite DAST; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    burp: Option<SocketAddr>,
    /// Serve so many generated findings beside the shop's.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    many: u64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Line {
    #[value(name = "4")]
    V4,
    #[value(name = "5")]
    V5,
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

    let dependency_track = match arguments.dependency_track {
        Some(address) => Some(start_dependency_track(address, &arguments).await?),
        None => None,
    };
    let prometheus = match arguments.prometheus {
        Some(address) => {
            let simulator = Prometheus::new()
                .series(scenario::shop_cluster())
                .many(arguments.many, 1)
                .listen(address);
            Some(
                simulator
                    .start()
                    .await
                    .map_err(|error| taken(address, &error))?,
            )
        }
        None => None,
    };
    let burp = match arguments.burp {
        Some(address) => {
            let simulator = burp::shop().many(arguments.many).listen(address);
            Some(simulator.start_blocking()?)
        }
        None => None,
    };
    if let Some(simulator) = &dependency_track {
        let line = json!({
            "simulator": "dependency-track",
            "url": simulator.url(),
            "api_key": API_KEY,
        });
        say(&line)?;
    }
    if let Some(simulator) = &prometheus {
        say(&json!({"simulator": "prometheus", "url": simulator.url()}))?;
    }

    if let Some(simulator) = &burp {
        say(&json!({"simulator": "burp", "url": simulator.url(), "api_key": burp::API_KEY}))?;
    }

    let (mut input, mut buffer) = (tokio::io::stdin(), [0; 64]);
    loop {
        tokio::select! {
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
            read = input.read(&mut buffer) => if read? == 0 { break },
        }
    }
    drop((burp, dependency_track, prometheus));
    // The runtime would wait for the thread that still reads standard input.
    std::process::exit(0)
}

async fn start_dependency_track(
    address: SocketAddr,
    arguments: &Arguments,
) -> io::Result<secpull_simulators::dependency_track::Simulator> {
    let version = match arguments.dependency_track_version {
        Line::V4 => Version::V4_14,
        Line::V5 => Version::V5_0,
    };
    let mut simulator = DependencyTrack::new(version)
        .projects(scenario::shop())
        .listen(address);
    if arguments.many > 0 {
        let many = scenario::many(arguments.many, 1);
        simulator = simulator.project(Project::new("generated", Some("1.0")).with(many));
    }
    simulator
        .start()
        .await
        .map_err(|error| taken(address, &error))
}

fn taken(address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}

fn say(line: &serde_json::Value) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "{line}")?;
    output.flush()
}
