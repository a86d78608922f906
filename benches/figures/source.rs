//! The process that answers: a simulated tool, whose answers are kept when they are asked for the first time. From then on an
//! answer costs next to nothing to make, and all who ask are given the same.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use secpull_simulators::dependency_track::{API_KEY, DependencyTrack, Project, Version};
use secpull_simulators::prometheus::Prometheus;
use secpull_simulators::scenario;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::Result;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Dependency-Track 5.x.
    Pages,
    /// Dependency-Track 4.x.
    OneAnswer,
    /// Prometheus.
    Prometheus,
}

/// A request that was asked, to be asked again as it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: String,
}

/// Where [`Source::questions`] asks.
const QUESTIONS: &str = "/questions-of-the-figures";
const SEED: u64 = 1;
const MOST_BODY: usize = 1 << 20;

/// The other process, seen from here. It ends when this is dropped.
pub(crate) struct Source {
    child: Child,
    pub(crate) kind: Kind,
    pub(crate) url: String,
}

impl Source {
    pub(crate) fn start(kind: Kind, findings: u64) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(format!("--serve={}", word(kind)))
            .arg(format!("--findings={findings}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let url = child.stdout.take().map(first_line);
        let url = url.ok_or("the source cannot be read")??;
        Ok(Self { child, kind, url })
    }

    /// Everything that has been asked so far, in order.
    pub(crate) fn questions(&self) -> Result<Vec<Question>> {
        let url = format!("{}{QUESTIONS}", self.url);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let body = runtime.block_on(async {
            let answer = reqwest::Client::builder().no_proxy().build()?.get(url);
            answer.send().await?.bytes().await
        })?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// The configuration of the tool.
    pub(crate) fn tool(&self) -> String {
        let url = &self.url;
        match self.kind {
            Kind::Pages | Kind::OneAnswer => format!(
                "[tools.source]\nconnector = \"dependency-track\"\nlocation = \"{url}\"\nsecret = \"{API_KEY}\"\n"
            ),
            Kind::Prometheus => format!(
                "[tools.source]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{url}\"\n"
            ),
        }
    }

    /// The keys of an API configuration that reads everything.
    pub(crate) fn selectors(&self) -> &'static str {
        match self.kind {
            Kind::Pages | Kind::OneAnswer => {
                "project_name = \"generated\"\nproject_version = \"1.0\"\n"
            }
            Kind::Prometheus => "query = \"trivy_vulnerability_id\"\n",
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _it_has_ended_then = self.child.wait();
    }
}

fn word(kind: Kind) -> String {
    let value = clap::ValueEnum::to_possible_value(&kind);
    value
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn first_line(stdout: ChildStdout) -> Result<String> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    match line.trim() {
        "" => Err("the source did not start".into()),
        url => Ok(url.to_owned()),
    }
}

/// Answers until standard input ends.
pub(crate) fn serve(kind: Kind, findings: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let project =
            || Project::new("generated", Some("1.0")).with(scenario::many(findings, SEED));
        match kind {
            Kind::Pages => {
                let tool = DependencyTrack::new(Version::V5_0).project(project());
                let tool = tool.start().await?;
                keep_answers(tool.url()).await
            }
            Kind::OneAnswer => {
                let tool = DependencyTrack::new(Version::V4_14).project(project());
                let tool = tool.start().await?;
                keep_answers(tool.url()).await
            }
            Kind::Prometheus => {
                let tool = Prometheus::new().series(scenario::shop_cluster());
                let tool = tool.many(findings, SEED).start().await?;
                keep_answers(tool.url()).await
            }
        }
    })?;
    // The runtime would wait for the thread that still reads standard input.
    std::process::exit(0)
}

async fn keep_answers(upstream: &str) -> Result<()> {
    let keeper = Arc::new(Keeper {
        upstream: upstream.to_owned(),
        client: reqwest::Client::builder().no_proxy().build()?,
        kept: Mutex::default(),
    });
    let app = Router::new()
        .route(QUESTIONS, get(questions))
        .fallback(answer)
        .with_state(keeper);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let (mut input, mut buffer) = (tokio::io::stdin(), [0; 64]);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => Ok(served?),
        _ = input.read(&mut buffer) => Ok(()),
    }
}

struct Keeper {
    upstream: String,
    client: reqwest::Client,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    questions: Vec<Question>,
    answers: HashMap<Question, Arc<Answer>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    chunks: Vec<Bytes>,
}

async fn questions(State(keeper): State<Arc<Keeper>>) -> Json<Vec<Question>> {
    Json(keeper.kept().questions.clone())
}

async fn answer(State(keeper): State<Arc<Keeper>>, request: Request) -> Response {
    match keeper.answer(request).await {
        Ok(answer) => answer.response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Keeper {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(
        &self,
        request: Request,
    ) -> std::result::Result<Arc<Answer>, Box<dyn std::error::Error + Send + Sync>> {
        let (parts, body) = request.into_parts();
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let question = Question {
            method: parts.method.to_string(),
            target: target.to_owned(),
            body: String::from_utf8(to_bytes(body, MOST_BODY).await?.into())?,
        };
        let known = self.kept().answers.get(&question).cloned();
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = Arc::new(self.ask(&parts.method, parts.headers, &question).await?);
        let mut kept = self.kept();
        kept.questions.push(question.clone());
        kept.answers.insert(question, Arc::clone(&answer));
        Ok(answer)
    }

    async fn ask(
        &self,
        method: &Method,
        headers: HeaderMap,
        question: &Question,
    ) -> reqwest::Result<Answer> {
        let url = format!("{}{}", self.upstream, question.target);
        let answer = self
            .client
            .request(method.clone(), url)
            .headers(headers)
            .body(question.body.clone())
            .send()
            .await?;
        let status = answer.status();
        let mut headers = answer.headers().clone();
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        let mut chunks = Vec::new();
        let mut body = answer.bytes_stream();
        while let Some(chunk) = body.next().await {
            chunks.push(chunk?);
        }
        Ok(Answer {
            status,
            headers,
            chunks,
        })
    }
}

impl Answer {
    fn response(&self) -> Response {
        // Cheap copies: each counts the owners of its bytes.
        let chunks = self.chunks.clone().into_iter();
        let chunks = chunks.map(Ok::<Bytes, std::convert::Infallible>);
        let body = Body::from_stream(stream::iter(chunks));
        (self.status, self.headers.clone(), body).into_response()
    }
}
