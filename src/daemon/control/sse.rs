//! Reads a stream of server-sent events, as far as the control socket uses them: `event`, `data`, comments.

/// Takes chunks as they arrive, cut anywhere, and gives whole events.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    pending: Vec<u8>,
    name: String,
    data: Vec<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerEvent {
    /// Its name; `message` where the server gave none.
    pub(super) name: String,
    /// Its data; several data lines are joined by line feeds.
    pub(super) data: String,
}

impl EventReader {
    /// Takes in a chunk and gives the events that it completes.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<ServerEvent> {
        self.pending.extend_from_slice(chunk);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.pending[start..].iter().position(|b| *b == b'\n') {
            let line = &self.pending[start..start + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = String::from_utf8_lossy(line).into_owned();
            start += length + 1;
            events.extend(self.line(&line));
        }
        self.pending.drain(..start);
        events
    }

    fn line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.data.push(value.to_owned()),
            // A comment (no field name), or a field that the control socket does not use.
            _ => {}
        }
        None
    }

    /// An empty line ends an event; one without data is none.
    fn dispatch(&mut self) -> Option<ServerEvent> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return None;
        }
        Some(ServerEvent {
            name: if name.is_empty() {
                "message".to_owned()
            } else {
                name
            },
            data: data.join("\n"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> ServerEvent {
        ServerEvent {
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn events_are_whole_wherever_the_chunks_are_cut() {
        let text = "event: progress\ndata: {\"a\":\"ü\"}\n\n: keep-alive\n\nevent: end\r\ndata: {}\r\n\r\n";
        let expected = [event("progress", "{\"a\":\"ü\"}"), event("end", "{}")];
        for cut in 0..text.len() {
            let mut reader = EventReader::default();
            let mut events = reader.push(&text.as_bytes()[..cut]);
            events.extend(reader.push(&text.as_bytes()[cut..]));
            assert_eq!(events, expected, "cut at {cut}");
        }
    }

    #[test]
    fn several_data_lines_are_one_text() {
        let events = EventReader::default().push(b"data: a\ndata:b\n\n");
        assert_eq!(events, [event("message", "a\nb")]);
    }

    #[test]
    fn comments_and_unknown_fields_are_no_events() {
        let events = EventReader::default().push(b":\n\n: ping\n\nid: 7\nretry: 10\n\n");
        assert_eq!(events, []);
    }

    #[test]
    fn an_event_cut_off_before_its_empty_line_is_not_given() {
        let events = EventReader::default().push(b"event: end\ndata: {}\n");
        assert_eq!(events, []);
    }
}
