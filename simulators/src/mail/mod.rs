//! A mail server that keeps what it is given: SMTP with STARTTLS or TLS from the start, and a login.

mod session;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use crate::server::lock;

/// A mail server to be started.
#[derive(Default)]
pub struct MailServer {
    tls: Option<TlsAcceptor>,
    from_the_start: bool,
    login: Option<(String, String)>,
}

impl MailServer {
    /// A server that takes mail from anybody, without TLS.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a certificate and its key, as PEM, for STARTTLS. Without TLS it then takes neither logins nor mails.
    ///
    /// # Errors
    /// They are none, or do not belong together.
    pub fn starttls(mut self, certificate: &str, key: &str) -> io::Result<Self> {
        self.tls = Some(acceptor(certificate, key)?);
        Ok(self)
    }

    /// With TLS from the first byte.
    ///
    /// # Errors
    /// As [`Self::starttls`].
    pub fn tls(self, certificate: &str, key: &str) -> io::Result<Self> {
        let mut server = self.starttls(certificate, key)?;
        server.from_the_start = true;
        Ok(server)
    }

    /// Takes mail only after this login.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Starts it on an ephemeral port of 127.0.0.1.
    ///
    /// # Errors
    /// It cannot be listened on.
    pub fn start_blocking(self) -> io::Result<Postbox> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let office = Arc::new(Office {
            tls: self.tls,
            from_the_start: self.from_the_start,
            login: self.login,
            mails: Mutex::default(),
            refusal: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let (stopped, served) = (stop.clone(), office.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        served = serve(listener, served) => drop(served),
                        () = stopped.cancelled() => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        Ok(Postbox {
            address,
            office,
            stop,
            thread: Some(thread),
        })
    }
}

fn acceptor(certificate: &str, key: &str) -> io::Result<TlsAcceptor> {
    let certificate =
        CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenMail {
    /// `MAIL FROM`.
    pub from: String,
    /// Each `RCPT TO`.
    pub to: Vec<String>,
    /// Headers and text as they came, without doubled dots.
    pub data: String,
    /// Whether it came over TLS.
    pub over_tls: bool,
    /// Who was logged in.
    pub user: Option<String>,
}

impl TakenMail {
    /// The value of a header, unfolded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.data.split_once("\r\n\r\n")?;
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

/// What a running server's handle and its sessions share.
struct Office {
    tls: Option<TlsAcceptor>,
    from_the_start: bool,
    login: Option<(String, String)>,
    mails: Mutex<Vec<TakenMail>>,
    /// A command, and what it is answered in place of what would be right.
    refusal: Mutex<Option<(&'static str, &'static str)>>,
}

/// A running mail server; stops when dropped.
pub struct Postbox {
    address: SocketAddr,
    office: Arc<Office>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Postbox {
    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it has taken so far, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<TakenMail> {
        lock(&self.office.mails).clone()
    }

    /// From now on a command (`MAIL`, `AUTH`, `.`, …) is answered so: `451 4.3.0 Try again later`. An empty answer is none at
    /// all.
    pub fn answer(&self, command: &'static str, answer: &'static str) {
        *lock(&self.office.refusal) = Some((command, answer));
    }

    /// From now on all is answered as is right.
    pub fn calm(&self) {
        *lock(&self.office.refusal) = None;
    }
}

impl Drop for Postbox {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // Its panic, if there was one, has been printed; a second one here would abort the test.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, office: Arc<Office>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(session::serve(stream, office.clone()));
    }
}

#[cfg(test)]
mod tests;
