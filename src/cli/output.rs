//! Where commands write: standard output and standard error, or a test's buffers.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressDrawTarget};

/// A terminal is redrawn at most so many times a second.
const REDRAWS_PER_SECOND: u8 = 5;

/// Whoever reads a stream need not wait longer than this for what is there.
const FLUSH_AFTER: Duration = Duration::from_millis(200);

/// What standard output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// Columns of the terminal; none in a pipe or file, where nothing is cut off.
    pub(crate) width: Option<u16>,
    /// Whether colours are wanted.
    pub(crate) colour: bool,
}

/// A command's output.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write + Send>>,
    flushed: Option<Instant>,
    look: Look,
    notes: Notes,
}

impl Output {
    /// Standard output and standard error.
    pub(crate) fn standard(notes: Notes) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let look = Look {
            width: terminal
                .then(|| comfy_table::Table::new().width())
                .flatten(),
            colour: terminal && colours_wanted(),
        };
        Self::new(Box::new(stdout), look, notes)
    }

    pub(crate) fn new(out: Box<dyn Write + Send>, look: Look, notes: Notes) -> Self {
        Self {
            out: BufWriter::with_capacity(64 * 1024, out),
            flushed: None,
            look,
            notes,
        }
    }

    pub(crate) fn look(&self) -> Look {
        self.look
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// One line of output.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        self.out.write_all(line.as_ref().as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Lets a reader see what is there: at once the first time, then now and then.
    pub(crate) fn flush_sometimes(&mut self) -> io::Result<()> {
        if self.flushed.is_none_or(|at| at.elapsed() >= FLUSH_AFTER) {
            self.out.flush()?;
            self.flushed = Some(Instant::now());
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn colours_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Standard error: errors, warnings and progress. Lines never tear the progress bars that stand there.
#[derive(Clone)]
pub(crate) struct Notes {
    bars: Option<MultiProgress>,
    lines: Arc<Mutex<dyn Write + Send>>,
}

impl Notes {
    /// Standard error; with bars if it is a terminal.
    pub(crate) fn standard() -> Self {
        let bars = io::stderr().is_terminal().then(|| {
            MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND))
        });
        Self {
            bars,
            lines: Arc::new(Mutex::new(io::stderr())),
        }
    }

    /// A place for lines; without bars.
    #[cfg(test)]
    pub(crate) fn into(lines: Arc<Mutex<dyn Write + Send>>) -> Self {
        Self { bars: None, lines }
    }

    /// Where bars are drawn, if they can be.
    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// One line. Nobody can be told if standard error is closed, so that is no error.
    pub(crate) fn line(&self, line: impl AsRef<str>) {
        let mut text = line.as_ref().to_owned();
        text.push('\n');
        let _closed = self.write_whole(text.as_bytes());
    }

    pub(crate) fn warning(&self, line: impl AsRef<str>) {
        self.line(format!("warning: {}", line.as_ref()));
    }

    pub(crate) fn error(&self, line: impl AsRef<str>) {
        self.line(format!("error: {}", line.as_ref()));
    }

    fn write_whole(&self, bytes: &[u8]) -> io::Result<()> {
        let write = || {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.write_all(bytes)?;
            lines.flush()
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

impl Write for Notes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_whole(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod capture {
    //! Output that a test can read.

    use super::*;

    /// A buffer that is written from one side and read from the other.
    #[derive(Clone, Default)]
    pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output and its two sides.
    pub(crate) fn output(look: Look) -> (Output, Buffer, Buffer) {
        let (out, notes) = (Buffer::default(), Buffer::default());
        let place = Notes::into(Arc::new(Mutex::new(notes.clone())));
        (Output::new(Box::new(out.clone()), look, place), out, notes)
    }
}
