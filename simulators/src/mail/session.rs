//! One connection: RFC 5321, with STARTTLS (RFC 3207) and AUTH PLAIN and LOGIN (RFC 4954).

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Office, TakenMail};
use crate::server::lock;

/// Longest line of a mail, its end included (RFC 5321, 4.5.3.1.6).
const LONGEST_LINE: usize = 1000;

/// Talks to a client until it goes.
pub(super) async fn serve(stream: TcpStream, office: Arc<Office>) {
    // How a session ends badly is for its client to tell.
    let _ended = talk(stream, &office).await;
}

async fn talk(stream: TcpStream, office: &Office) -> io::Result<()> {
    match &office.tls {
        Some(tls) if office.from_the_start => {
            let mut session = Session::new(tls.accept(stream).await?, office, true);
            session.say("220 mail.example.com ESMTP").await?;
            session.run().await.map(drop)
        }
        tls => {
            let mut session = Session::new(stream, office, false);
            session.say("220 mail.example.com ESMTP").await?;
            let (Ended::WantsTls, Some(tls)) = (session.run().await?, tls) else {
                return Ok(());
            };
            // What was sent before TLS counts for nothing.
            if !session.stream.buffer().is_empty() {
                return Ok(());
            }
            let stream = tls.accept(session.stream.into_inner()).await?;
            Session::new(stream, office, true).run().await.map(drop)
        }
    }
}

/// How a session ended.
enum Ended {
    Gone,
    WantsTls,
}

struct Session<'a, S> {
    stream: BufReader<S>,
    office: &'a Office,
    over_tls: bool,
    greeted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(stream: S, office: &'a Office, over_tls: bool) -> Self {
        Self {
            stream: BufReader::new(stream),
            office,
            over_tls,
            greeted: false,
            user: None,
            from: None,
            to: Vec::new(),
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.flush().await
    }

    /// The next line without its end; none when the client has gone.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// What the test wants answered to this command.
    async fn refuses(&mut self, command: &str) -> io::Result<bool> {
        let refusal = *lock(&self.office.refusal);
        match refusal {
            Some((refused, answer)) if refused == command => {
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                self.say(answer).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn run(&mut self) -> io::Result<Ended> {
        while let Some(line) = self.line().await? {
            let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let command = command.to_ascii_uppercase();
            if self.refuses(&command).await? {
                continue;
            }
            match command.as_str() {
                "EHLO" => self.greet().await?,
                "STARTTLS" if self.office.tls.is_some() && !self.over_tls => {
                    self.say("220 2.0.0 Ready to start TLS").await?;
                    return Ok(Ended::WantsTls);
                }
                "AUTH" => self.log_in(rest).await?,
                "MAIL" => self.begin(rest).await?,
                "RCPT" => match (address(rest, "TO:"), &self.from) {
                    (Some(to), Some(_)) => {
                        self.to.push(to);
                        self.say("250 2.1.5 Ok").await?;
                    }
                    _ => self.say("503 5.5.1 Bad sequence of commands").await?,
                },
                "DATA" => self.take_in().await?,
                "RSET" | "NOOP" => self.say("250 2.0.0 Ok").await?,
                "QUIT" => {
                    self.say("221 2.0.0 Bye").await?;
                    return Ok(Ended::Gone);
                }
                _ => self.say("502 5.5.2 Command not recognized").await?,
            }
        }
        Ok(Ended::Gone)
    }

    async fn greet(&mut self) -> io::Result<()> {
        self.greeted = true;
        self.say("250-mail.example.com").await?;
        if self.office.tls.is_some() && !self.over_tls {
            self.say("250-STARTTLS").await?;
        } else if self.office.login.is_some() {
            self.say("250-AUTH PLAIN LOGIN").await?;
        }
        self.say("250 8BITMIME").await
    }

    /// Whether TLS is there, if it has to be.
    fn is_safe(&self) -> bool {
        self.over_tls || self.office.tls.is_none()
    }

    async fn log_in(&mut self, rest: &str) -> io::Result<()> {
        if !self.is_safe() {
            return self.say("538 5.7.11 Encryption required").await;
        }
        let given = match rest.split_once(' ') {
            Some(("PLAIN", words)) => plain(words),
            None if rest == "LOGIN" => {
                self.say("334 VXNlcm5hbWU6").await?;
                let user = self.line().await?.unwrap_or_default();
                self.say("334 UGFzc3dvcmQ6").await?;
                let password = self.line().await?.unwrap_or_default();
                decoded(&user).zip(decoded(&password))
            }
            _ => return self.say("504 5.5.4 Unrecognized mechanism").await,
        };
        if given.is_some() && given == self.office.login {
            self.user = given.map(|(user, _)| user);
            return self.say("235 2.7.0 Authentication successful").await;
        }
        // As some do, it repeats what it was given.
        let echo = rest.rsplit(' ').next().unwrap_or_default().to_owned();
        self.say(&format!("535 5.7.8 Authentication failed: {echo}"))
            .await
    }

    async fn begin(&mut self, rest: &str) -> io::Result<()> {
        if !self.greeted {
            return self.say("503 5.5.1 Send EHLO first").await;
        }
        if !self.is_safe() {
            return self
                .say("530 5.7.0 Must issue a STARTTLS command first")
                .await;
        }
        if self.office.login.is_some() && self.user.is_none() {
            return self.say("530 5.7.0 Authentication required").await;
        }
        match address(rest, "FROM:") {
            Some(from) => {
                self.from = Some(from);
                self.to.clear();
                self.say("250 2.1.0 Ok").await
            }
            None => self.say("501 5.1.7 Bad sender address syntax").await,
        }
    }

    async fn take_in(&mut self) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 5.5.1 No valid recipients").await;
        }
        self.say("354 End data with <CR><LF>.<CR><LF>").await?;
        let mut data = String::new();
        let mut fault = None;
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            if line == b".\r\n" {
                break;
            }
            if line.len() > LONGEST_LINE {
                fault = Some("500 5.5.2 Line too long");
            }
            if !line.ends_with(b"\r\n") || !line.is_ascii() {
                fault = Some("550 5.6.0 Bare line feed, or not 7 bits");
            }
            let line = String::from_utf8_lossy(&line);
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        if self.refuses(".").await? {
            return Ok(());
        }
        if let Some(fault) = fault {
            return self.say(fault).await;
        }
        lock(&self.office.mails).push(TakenMail {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            data,
            over_tls: self.over_tls,
            user: self.user.clone(),
        });
        self.say("250 2.0.0 Ok: queued").await
    }
}

/// `<a@b>` behind `FROM:` or `TO:`.
fn address(rest: &str, mark: &str) -> Option<String> {
    let head = rest.get(..mark.len())?;
    let path = rest[mark.len()..].trim_start().strip_prefix('<')?;
    let (address, _) = path.split_once('>')?;
    head.eq_ignore_ascii_case(mark).then(|| address.to_owned())
}

fn decoded(word: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(word).ok()?).ok()
}

/// `authorization NUL user NUL password`.
fn plain(word: &str) -> Option<(String, String)> {
    let words = decoded(word)?;
    let mut words = words.split('\0').skip(1).map(str::to_owned);
    Some((words.next()?, words.next()?))
}
