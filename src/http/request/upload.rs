//! A form with a file in it, sent as one stream.

use std::io;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, RequestBuilder};
use serde::de::DeserializeOwned;

use super::{Answer, MAX_JSON, Request};
use crate::http::exchange::Exchange;
use crate::http::failure::Failure;
use crate::http::{HttpError, HttpErrorKind, decode};

/// A file that is sent while it is made.
pub struct UploadedFile {
    /// Its name, as the tool is told.
    pub name: &'static str,
    /// `application/json`.
    pub media_type: &'static str,
    /// How many bytes it has.
    pub length: u64,
    /// As many as that.
    pub content: BoxStream<'static, io::Result<Bytes>>,
}

impl Request {
    /// Sends a form (multipart/form-data) whose last field, `file`, is this file, and reads the answer as JSON, at most 64
    /// MiB. Its length is known from the start, and it is sent once: nothing is retried.
    ///
    /// # Errors
    /// Any [`HttpError`].
    pub async fn upload<T: DeserializeOwned>(
        self,
        fields: Vec<(&'static str, String)>,
        file: UploadedFile,
    ) -> Result<Answer<T>, HttpError> {
        let request = self.accepting("application/json");
        let subject = request.subject();
        let broken = |reason: &str| subject.error(HttpErrorKind::Setup, reason);
        if let Some(reason) = &request.broken {
            return Err(broken(reason));
        }
        let content = Body::wrap_stream(file.content);
        let part = Part::stream_with_length(content, file.length)
            .file_name(file.name)
            .mime_str(file.media_type)
            .map_err(|_| broken("its file has no proper media type"))?;
        let texts = fields.into_iter();
        let form = texts.fold(Form::new(), |form, (name, text)| form.text(name, text));
        let connections = request.caller.shared.connections.clone();
        let written = RequestBuilder::from_parts(connections, request.build())
            .multipart(form.part("file", part))
            .build()
            .map_err(|_| broken("its form cannot be written"))?;
        request.caller.meter.count_request();
        let answered = async {
            let mut exchange = Exchange::begin(subject.clone(), written, request.limit).await?;
            exchange.expect_json()?;
            let body = exchange.body(MAX_JSON).await?;
            let body = exchange.redact_json(&body).map_or(body, Bytes::from);
            Ok((exchange.headers().clone(), body))
        };
        let (headers, body) = answered.await.map_err(|failure: Failure| failure.error)?;
        match decode::json(&body) {
            Ok(body) => Ok(Answer { headers, body }),
            Err((kind, what)) => Err(subject.error(kind, what)),
        }
    }
}
