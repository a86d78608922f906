//! A server on loopback that misbehaves as told, byte by byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use url::Url;

/// What to do with a connection after a request has come; at the end it is closed.
pub(super) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Closed with RST.
    Reset,
    /// Open and silent for as long as the test runs.
    Hang,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

pub(super) struct Server {
    pub(super) url: Url,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// `script` gets the number of the request, from 0, and its text.
    pub(super) async fn start(
        script: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, "http://127.0.0.1", script).await
    }

    pub(super) async fn start_tls(
        config: ServerConfig,
        script: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::listen(Some(acceptor), "https://localhost", script).await
    }

    async fn listen(
        tls: Option<TlsAcceptor>,
        base: &str,
        script: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Seen>::default();
        let script = Arc::new(script);
        let known = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, seen, script) = (tls.clone(), Arc::clone(&known), Arc::clone(&script));
                tokio::spawn(async move {
                    let Some(acceptor) = tls else {
                        return serve(stream, &seen, &*script).await;
                    };
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, &seen, &*script).await;
                    }
                });
            }
        });
        Self {
            url: format!("{base}:{port}").parse().unwrap(),
            seen,
            accepting,
        }
    }

    /// The requests so far: heads and bodies as they came.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(super) fn most_under_way(&self) -> usize {
        self.seen.most_under_way.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {
    fn reset(self);
}

impl Stream for TcpStream {
    fn reset(self) {
        self.set_zero_linger().unwrap();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(self) {
        self.into_inner().0.reset();
    }
}

async fn serve(
    mut stream: impl Stream,
    seen: &Seen,
    script: &(impl Fn(usize, &str) -> Vec<Step> + Send + Sync),
) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    let number = {
        let mut requests = seen.requests.lock().unwrap();
        requests.push(request.clone());
        requests.len() - 1
    };
    let under_way = seen.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most_under_way.fetch_max(under_way, Ordering::SeqCst);
    for step in script(number, &request) {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    break;
                }
                let _ = stream.flush().await;
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Reset => {
                stream.reset();
                seen.under_way.fetch_sub(1, Ordering::SeqCst);
                return;
            }
            Step::Hang => std::future::pending().await,
        }
    }
    seen.under_way.fetch_sub(1, Ordering::SeqCst);
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut impl Stream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = header(&text, "content-length").map_or(0, |text| text.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A header of a request's text.
pub(super) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// A whole answer.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut head = format!(
        "HTTP/1.1 {status} Something\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    vec![Step::Send([head.as_bytes(), body].concat())]
}

pub(super) const JSON: (&str, &str) = ("content-type", "application/json");

pub(super) fn json(body: impl AsRef<[u8]>) -> Vec<Step> {
    answer(200, &[JSON], body)
}

/// The beginning of an answer of which more bytes are announced than sent.
pub(super) fn beginning(announced: usize, body: &str) -> Step {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {announced}\r\n\r\n{body}"
    );
    Step::Send(head.into_bytes())
}
