//! What can go wrong with any of the tools: one table for all simulators, so that every connector is led through all of it.
//!
//! A [`Misfortune`] is *what* goes wrong, a [`Plan`] *when*, a `Dialect` what has to be known of the vendor to do it.

mod answers;
mod apply;
mod plan;
mod rows;

use serde_json::Value;

pub(crate) use apply::apply;
pub use plan::Plan;
pub(crate) use plan::Plans;

/// Something that goes wrong with a tool's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfortune {
    /// An empty list, healthy in every other respect.
    EmptyAnswer,
    /// The first data request is answered; from then on 403.
    PermissionLostInTheMiddle,
    /// 401 for everything.
    KeyRevoked,
    /// 429, as from a gateway.
    TooManyRequests {
        /// `Retry-After` in seconds, if there is to be one.
        retry_after: Option<u32>,
    },
    /// 500 for every data request.
    ServerError,
    /// 500 for this page of a paged list, for ever; the others are fine.
    ServerErrorOnPage(u32),
    /// 502 with a proxy's HTML.
    BadGateway,
    /// A complete HTTP answer whose JSON stops half-way.
    TruncatedJson,
    /// The right JSON, followed by other text.
    GarbageBehindJson,
    /// Bytes in the JSON that are no UTF-8.
    InvalidUtf8,
    /// The right body, called `text/plain`.
    WrongContentType,
    /// 200 with an HTML page to log in.
    HtmlLoginPage,
    /// Whatever page is asked for, the first one comes.
    RepeatedPage,
    /// There is always one more full page, with rows that were not there before.
    EndlessPages,
    /// A list of 4 GiB, nearly all of it white space.
    HugeBody,
    /// A list with one row of 4 GiB.
    HugeRow,
    /// A body of 130 KiB that unpacks to 4 GiB (zstd).
    CompressedBomb,
    /// The right body, a byte each second.
    OneByteASecond,
    /// The request is taken, nothing is answered.
    NoAnswer,
    /// The connection is reset in the middle of the body.
    ConnectionReset,
    /// 302 to another host.
    RedirectToAnotherHost,
    /// Every second row has words that no documentation lists.
    UnknownEnumValues,
    /// The first row has numbers for words and nulls for texts.
    WrongTypesAndNullsInARow,
    /// The first row is null.
    NullInsteadOfARow,
    /// 400 with the credential that came along in its body.
    CredentialInAnError,
    /// The first row repeats the credential that came along, in texts that were not there before.
    CredentialInARow,
}

impl Misfortune {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::EmptyAnswer,
        Self::PermissionLostInTheMiddle,
        Self::KeyRevoked,
        Self::TooManyRequests { retry_after: None },
        Self::TooManyRequests {
            retry_after: Some(1),
        },
        Self::ServerError,
        Self::ServerErrorOnPage(2),
        Self::BadGateway,
        Self::TruncatedJson,
        Self::GarbageBehindJson,
        Self::InvalidUtf8,
        Self::WrongContentType,
        Self::HtmlLoginPage,
        Self::RepeatedPage,
        Self::EndlessPages,
        Self::HugeBody,
        Self::HugeRow,
        Self::CompressedBomb,
        Self::OneByteASecond,
        Self::NoAnswer,
        Self::ConnectionReset,
        Self::RedirectToAnotherHost,
        Self::UnknownEnumValues,
        Self::WrongTypesAndNullsInARow,
        Self::NullInsteadOfARow,
        Self::CredentialInAnError,
        Self::CredentialInARow,
    ];

    /// For people, as the end of "when …".
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::EmptyAnswer => "the tool suddenly lists nothing",
            Self::PermissionLostInTheMiddle => "the permission is lost after the first page",
            Self::KeyRevoked => "the key is revoked",
            Self::TooManyRequests { retry_after: None } => "a gateway says 429",
            Self::TooManyRequests { .. } => "a gateway says 429 and when to come back",
            Self::ServerError => "the tool answers 500",
            Self::ServerErrorOnPage(_) => "one page is answered with 500 for ever",
            Self::BadGateway => "a proxy answers 502 with HTML",
            Self::TruncatedJson => "the JSON stops half-way",
            Self::GarbageBehindJson => "other text follows the JSON",
            Self::InvalidUtf8 => "the JSON is not UTF-8",
            Self::WrongContentType => "the JSON is called text/plain",
            Self::HtmlLoginPage => "an HTML page to log in comes with status 200",
            Self::RepeatedPage => "the first page comes again and again",
            Self::EndlessPages => "there is always one more page",
            Self::HugeBody => "the body has several GB",
            Self::HugeRow => "a single row has several GB",
            Self::CompressedBomb => "a small body unpacks to several GB",
            Self::OneByteASecond => "the body comes at one byte a second",
            Self::NoAnswer => "the tool takes the request and stays silent",
            Self::ConnectionReset => "the connection is reset in the middle of the body",
            Self::RedirectToAnotherHost => "the tool redirects to another host",
            Self::UnknownEnumValues => "rows have words that no documentation lists",
            Self::WrongTypesAndNullsInARow => "a row has wrong types and nulls",
            Self::NullInsteadOfARow => "a row is null",
            Self::CredentialInAnError => "an error repeats the credential",
            Self::CredentialInARow => "a row repeats the credential",
        }
    }

    /// Whether it can happen only where lists come in pages.
    #[must_use]
    pub fn needs_pages(self) -> bool {
        matches!(
            self,
            Self::ServerErrorOnPage(_) | Self::RepeatedPage | Self::EndlessPages
        )
    }

    /// The usual plan: all data requests from the first on; after the first for what comes in the middle; all requests
    /// where the key is concerned.
    #[must_use]
    pub fn plan(self) -> Plan {
        match self {
            Self::PermissionLostInTheMiddle => Plan::new(self).after(1),
            Self::KeyRevoked => Plan::new(self).everywhere(),
            _ => Plan::new(self),
        }
    }
}

/// What the misfortunes have to know of a vendor.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The vendor, in short.
    pub(crate) vendor: &'static str,
    /// Part of the path, or of the GraphQL operation's name, of the calls that deliver findings.
    pub(crate) data: &'static str,
    /// A healthy answer without rows.
    pub(crate) empty: &'static str,
    /// The beginning of an answer, up to the first row.
    pub(crate) opening: &'static str,
    /// Header with the number of all rows, if there is one.
    pub(crate) total_header: Option<&'static str>,
    /// Member of the body with the number of all rows, if there is one.
    pub(crate) total_key: Option<&'static str>,
    /// Parameters that hold the page to be read; none where lists have no pages.
    pub(crate) page_parameters: &'static [&'static str],
    /// The number of the first page.
    pub(crate) first_page: u32,
    /// Keys that lead from the body to the list of rows.
    pub(crate) rows: &'static [&'static str],
    /// Keys anywhere in a row whose values are words of an enumeration.
    pub(crate) words: &'static [&'static str],
    /// Keys anywhere in a row whose values are text that is usually there.
    pub(crate) texts: &'static [&'static str],
    /// Makes a row of the first page into one of another page, with an identity of its own.
    pub(crate) as_of_page: fn(row: &mut Value, page: u32),
}

#[cfg(test)]
mod tests;
