//! The log of some work, as text.

use std::{
    io,
    sync::{Arc, Mutex, Once},
};

use tracing::{Subscriber, level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::format::FmtSpan;

/// Has somebody listen to every span and log line from now on, so that those of one thread's
/// subscriber do not depend on what other tests listen to: `tracing` asks once whether anybody
/// does, and remembers the answer.
pub fn listen_to_everything() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let listener = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(io::sink);
        listener.try_init().unwrap();
    });
}

/// Lines of the log of some work, from whichever thread.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);
impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl Lines {
    /// Everything from DEBUG on.
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        self.subscriber_at(LevelFilter::DEBUG, FmtSpan::NONE)
    }

    /// Everything from this level on, and what happens to spans.
    pub fn subscriber_at(
        &self,
        level: LevelFilter,
        spans: FmtSpan,
    ) -> impl Subscriber + Send + Sync + use<> {
        listen_to_everything();
        let writer = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_span_events(spans)
            .with_ansi(false)
            // Its digits are sometimes those of a sample.
            .without_time()
            .with_writer(move || writer.clone())
            .finish()
    }

    /// Those of this thread from now on, until the guard is dropped.
    pub fn of_this_thread(level: LevelFilter, spans: FmtSpan) -> (Self, DefaultGuard) {
        let lines = Self::default();
        let subscriber = lines.subscriber_at(level, spans);
        (lines, tracing::subscriber::set_default(subscriber))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// What was written since the last call.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// The lines that hold this.
    pub fn with(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}
