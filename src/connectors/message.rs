//! HTTP messages that scanners keep as evidence, as text without the credentials that can be told. They are live ones.

/// In place of what was taken out.
pub(super) const TAKEN_OUT: &str = "***";

/// Begins the mark, closed by `]`, that stands where a part of a message is missing.
pub(super) const GAP: &str = "[…";

/// Headers whose values are credentials.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
    "x-amz-security-token",
];

/// A parameter or member with one of these in its name holds a credential.
const SECRET_NAMES: &[&str] = &[
    "passw",
    "pwd",
    "secret",
    "token",
    "session",
    "apikey",
    "api_key",
    "api-key",
    "csrf",
    "xsrf",
    "jwt",
    "auth",
    "credential",
    "otp",
    "sid",
];

/// Shorter values are not looked for elsewhere: they would be found in ordinary words.
const TELLING: usize = 8;

/// Whether a parameter or member of this name holds a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// The credentials that were told so far: what is a secret in one place is one wherever it is repeated.
#[derive(Default)]
pub(super) struct Credentials(Vec<String>);

impl Credentials {
    /// Takes note of one, if it is telling.
    pub(super) fn know(&mut self, secret: &str) {
        if secret.len() >= TELLING && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            // Longest first, so that none is left half.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// The text without any of those that are known.
    pub(super) fn take_out(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), TAKEN_OUT);
            }
        }
        text
    }

    /// An HTTP message without the credentials that its own words tell; they are known from now on.
    pub(super) fn take_out_of_message(&mut self, message: &str) -> String {
        let mut text = String::new();
        let (mut in_head, mut after_secret) = (true, false);
        for line in message.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\r', '\n']);
            let ending = &line[bare.len()..];
            in_head &= !bare.is_empty();
            let header = Header::of(bare);
            // A header may be folded over lines, or its name lie in a gap. A message may stand in the body of another.
            let is_secret = match &header {
                _ if after_secret && bare.starts_with([' ', '\t']) => true,
                Some(header) => header.is_secret(in_head),
                None => false,
            };
            after_secret = is_secret;
            match header {
                Some(header) if is_secret => {
                    self.know_values(header.value);
                    text.push_str(&format!("{}: {TAKEN_OUT}", header.name));
                }
                None if is_secret => text.push_str(TAKEN_OUT),
                _ if in_head && bare.contains(GAP) => text.push_str(&around_gap(bare)),
                _ => text.push_str(&self.take_out_of_parameters(bare)),
            }
            text.push_str(ending);
        }
        text
    }

    /// Notes the values in a header: of cookies each, of credentials the last word.
    fn know_values(&mut self, value: &str) {
        for part in value.split(';') {
            let part = part.split_once('=').map_or(part, |(_, value)| value).trim();
            self.know(part.rsplit(' ').next().unwrap_or(part));
        }
    }

    /// Takes out the values of `name=value` and `"name": "value"` whose names speak of credentials.
    fn take_out_of_parameters(&mut self, line: &str) -> String {
        let mut text = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(['=', ':']) {
            let (before, behind) = rest.split_at(at + 1);
            text.push_str(before);
            rest = behind;
            let name = before[..at].trim_end_matches(['"', '\'', ' ']);
            let start = name
                .rfind(|c: char| !c.is_ascii_alphanumeric() && !"_-.[]%".contains(c))
                .map_or(0, |at| {
                    at + name[at..].chars().next().map_or(1, char::len_utf8)
                });
            if !is_secret_name(&name[start..]) {
                continue;
            }
            let opening = behind.len() - behind.trim_start_matches([' ', '"', '\'']).len();
            let value = &behind[opening..];
            let end = value
                .find(|c: char| c.is_whitespace() || "&;\"'<>,}".contains(c))
                .unwrap_or(value.len());
            if end > 0 {
                self.know(&value[..end]);
                text.push_str(&behind[..opening]);
                text.push_str(TAKEN_OUT);
                rest = &value[end..];
            }
        }
        text.push_str(rest);
        text
    }
}

struct Header<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Header<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (name, value) = line.split_once(':')?;
        Some(Self { name, value })
    }

    fn is_secret(&self, in_head: bool) -> bool {
        let name = self.name.trim().to_ascii_lowercase();
        // The first line of a request may hold a colon too.
        let is_name = !name.contains([' ', '/', '?', '=']);
        SECRET_HEADERS.contains(&name.as_str()) || in_head && is_name && is_secret_name(&name)
    }
}

/// A line of the head with a gap in it: what follows the gap may be the rest of any header.
fn around_gap(line: &str) -> String {
    let end = line.find(']').map_or(line.len(), |end| end + 1);
    let start = line.find(GAP).unwrap_or(0);
    format!("{TAKEN_OUT}{}{TAKEN_OUT}", &line[start..end.max(start)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_from_headers_parameters_and_members_and_the_rest_is_kept() {
        let mut credentials = Credentials::default();
        let request = credentials.take_out_of_message(
            "POST /login?api_key=key-in-url&page=2 HTTP/1.1\r\nHost: shop.example\r\nCookie: a=cookie-value-1;\r\n b=folded-value\r\n\r\nuser=me&password=hunter2",
        );
        assert_eq!(
            request,
            "POST /login?api_key=***&page=2 HTTP/1.1\r\nHost: shop.example\r\nCookie: ***\r\n***\r\n\r\nuser=me&password=***"
        );
        assert_eq!(
            credentials.take_out("you sent cookie-value-1, hunter2"),
            "you sent ***, hunter2"
        );
    }

    #[test]
    fn a_header_of_credentials_is_one_in_a_body_too() {
        let mut credentials = Credentials::default();
        let text = credentials.take_out_of_message(
            "\n```http\nGET / HTTP/1.1\nAuthorization: Bearer bearer-value\nX: y\n```\n",
        );
        assert_eq!(
            text,
            "\n```http\nGET / HTTP/1.1\nAuthorization: ***\nX: y\n```\n"
        );
    }

    #[test]
    fn the_first_line_of_a_request_is_no_header() {
        let mut credentials = Credentials::default();
        let line = "GET /auth/start?next=https://shop.example/ HTTP/1.1";
        assert_eq!(credentials.take_out_of_message(line), line);
    }

    #[test]
    fn the_longest_credential_is_taken_out_first() {
        let mut credentials = Credentials::default();
        credentials.know("hunter22");
        credentials.know("hunter22-and-more");
        credentials.know("short");
        assert_eq!(credentials.take_out("hunter22-and-more short"), "*** short");
    }
}
