//! A proxy by which a company lets its machines out: HTTP with CONNECT, and SOCKS5, both on one port, for everybody or for
//! those who have an account.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long the head of a request may be.
const LONGEST_HEAD: usize = 16 << 10;

/// RFC 1928 and 1929.
mod socks {
    pub(super) const VERSION: u8 = 5;
    pub(super) const NO_ACCOUNT: u8 = 0;
    pub(super) const ACCOUNT: u8 = 2;
    pub(super) const NONE_ACCEPTABLE: u8 = 0xff;
    pub(super) const IPV4: u8 = 1;
    pub(super) const NAME: u8 = 3;
    pub(super) const UNREACHABLE: u8 = 4;
}

/// A proxy that does not run yet.
#[derive(Debug, Default)]
pub struct ForwardProxy {
    account: Option<(String, String)>,
    hosts: Vec<(String, SocketAddr)>,
}

/// Somebody who wanted through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Where to: `tool.example:443`. Empty if he did not get so far as to say it.
    pub target: String,
    /// As whom, as `user:password`.
    pub account: Option<String>,
    /// Whether he got there.
    pub granted: bool,
}

impl ForwardProxy {
    /// For everybody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only for this user.
    #[must_use]
    pub fn account(mut self, user: &str, password: &str) -> Self {
        self.account = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Only the proxy knows where this host is. Nobody else can be reached.
    #[must_use]
    pub fn host(mut self, name: &str, address: SocketAddr) -> Self {
        self.hosts.push((name.to_owned(), address));
        self
    }

    /// Starts it on a thread of its own.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start_blocking(self) -> io::Result<Running> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let passages = Arc::<Mutex<Vec<Passage>>>::default();
        let desk = Arc::new(Desk {
            proxy: self,
            passages: Arc::clone(&passages),
        });
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ended = desk.serve(listener) => {}
                    () = stopped.cancelled() => {}
                }
            });
            runtime.shutdown_background();
        });
        Ok(Running {
            address,
            passages,
            stop,
            thread: Some(thread),
        })
    }
}

/// A proxy that runs; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    passages: Arc<Mutex<Vec<Passage>>>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who wanted through so far, in order.
    #[must_use]
    pub fn passages(&self) -> Vec<Passage> {
        let passages = self.passages.lock();
        passages.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

struct Desk {
    proxy: ForwardProxy,
    passages: Arc<Mutex<Vec<Passage>>>,
}

impl Desk {
    async fn serve(self: Arc<Self>, listener: std::net::TcpListener) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let desk = Arc::clone(&self);
            tokio::spawn(async move {
                // Whoever goes away has gone.
                let _gone = desk.attend(stream).await;
            });
        }
    }

    async fn attend(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first[0] == socks::VERSION {
            self.by_socks(&mut stream).await
        } else {
            self.by_http(&mut stream).await
        }
    }

    fn note(&self, target: &str, account: Option<String>, granted: bool) {
        let mut passages = self.passages.lock().unwrap_or_else(PoisonError::into_inner);
        passages.push(Passage {
            target: target.to_owned(),
            account,
            granted,
        });
    }

    fn admits(&self, account: Option<&str>) -> bool {
        let wanted = self.proxy.account.as_ref();
        wanted.is_none_or(|(user, password)| account == Some(&format!("{user}:{password}")))
    }

    fn address(&self, target: &str) -> Option<SocketAddr> {
        let (name, _) = target.rsplit_once(':')?;
        let mut hosts = self.proxy.hosts.iter();
        let (_, address) = hosts.find(|(known, _)| known == name)?;
        Some(*address)
    }

    async fn by_http(&self, stream: &mut TcpStream) -> io::Result<()> {
        let head = read_head(stream).await?;
        let mut words = head.split_whitespace();
        let (method, uri) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let sent = header(&head, "proxy-authorization");
        let account = sent
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|word| {
                let bytes = BASE64_STANDARD.decode(word).ok()?;
                String::from_utf8(bytes).ok()
            });
        let tunnel = method == "CONNECT";
        let (target, path) = match uri.strip_prefix("http://") {
            Some(rest) if !tunnel => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                let port = if host.contains(':') { "" } else { ":80" };
                (format!("{host}{port}"), format!("/{path}"))
            }
            _ => (uri.to_owned(), String::new()),
        };
        if !self.admits(account.as_deref()) {
            self.note(&target, account, false);
            // Some are so careless as to show what they were sent.
            let body = format!("not allowed: {}", sent.unwrap_or("nobody"));
            return answer(stream, "407 Proxy Authentication Required", &body).await;
        }
        let Some(address) = self.address(&target) else {
            self.note(&target, account, false);
            return answer(stream, "403 Forbidden", "no such host").await;
        };
        self.note(&target, account, true);
        let mut there = TcpStream::connect(address).await?;
        if tunnel {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        } else {
            // One request a connection: the next might be for another host.
            let mut onward = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
            for line in head.lines().skip(1) {
                let lower = line.to_ascii_lowercase();
                if !line.is_empty()
                    && !lower.starts_with("proxy-")
                    && !lower.starts_with("connection:")
                {
                    onward += &format!("{line}\r\n");
                }
            }
            there.write_all(format!("{onward}\r\n").as_bytes()).await?;
        }
        copy_bidirectional(stream, &mut there).await.map(drop)
    }

    async fn by_socks(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.read_u8().await?;
        let offered = read_short(stream).await?;
        let wanted = match self.proxy.account {
            Some(_) => socks::ACCOUNT,
            None => socks::NO_ACCOUNT,
        };
        if !offered.contains(&wanted) {
            self.note("", None, false);
            return stream
                .write_all(&[socks::VERSION, socks::NONE_ACCEPTABLE])
                .await;
        }
        stream.write_all(&[socks::VERSION, wanted]).await?;
        let mut account = None;
        if wanted == socks::ACCOUNT {
            stream.read_u8().await?;
            let user = read_short(stream).await?;
            let password = read_short(stream).await?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            account = Some(format!("{}:{}", text(&user), text(&password)));
            if !self.admits(account.as_deref()) {
                self.note("", account, false);
                return stream.write_all(&[1, 1]).await;
            }
            stream.write_all(&[1, 0]).await?;
        }
        let mut request = [0; 4];
        stream.read_exact(&mut request).await?;
        let host = match request[3] {
            socks::IPV4 => {
                let mut octets = [0; 4];
                stream.read_exact(&mut octets).await?;
                Ipv4Addr::from(octets).to_string()
            }
            socks::NAME => String::from_utf8_lossy(&read_short(stream).await?).into_owned(),
            _ => return Ok(()),
        };
        let target = format!("{host}:{}", stream.read_u16().await?);
        let address = self.address(&target);
        self.note(&target, account, address.is_some());
        let status = match address {
            Some(_) => 0,
            None => socks::UNREACHABLE,
        };
        let nowhere = [socks::VERSION, status, 0, socks::IPV4, 0, 0, 0, 0, 0, 0];
        stream.write_all(&nowhere).await?;
        let Some(address) = address else {
            return Ok(());
        };
        let mut there = TcpStream::connect(address).await?;
        copy_bidirectional(stream, &mut there).await.map(drop)
    }
}

/// A length in one byte, and as many bytes.
async fn read_short(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u8().await?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Up to the empty line, and not a byte of what follows.
async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD {
            return Err(io::Error::other("no end of the head"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

async fn answer(stream: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nproxy-authenticate: Basic realm=\"proxy\"\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await
}
