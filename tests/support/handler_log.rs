//! What handlers write down of themselves: a line when one starts and a line when it ends, in one
//! file for all processes.
//!
//! Appending is atomic, so the order of the lines is the order of what happened, over processes
//! too. A handler's start is written before it does anything, and its end before its answer is
//! known to anybody.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Where handlers write.
pub struct Writer {
    file: File,
    runs: AtomicU64,
}

/// A handler at work. One that is dropped before it has answered says so.
pub struct Run<'a> {
    writer: &'a Writer,
    name: String,
    answered: bool,
}

impl Writer {
    pub fn open(path: impl AsRef<Path>) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Self {
            file: file.unwrap(),
            runs: AtomicU64::new(0),
        }
    }

    pub fn start(&self, id: &str) -> Run<'_> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let name = format!("{} {number} {id}", std::process::id());
        self.write(&format!("start {name}\n"));
        Run {
            writer: self,
            name,
            answered: false,
        }
    }

    /// One system call, since two could be torn apart.
    fn write(&self, line: &str) {
        let written = (&self.file).write(line.as_bytes()).unwrap();
        assert_eq!(written, line.len());
    }
}

impl Run<'_> {
    pub fn answer(mut self, status: u16) {
        self.answered = true;
        self.end(&status.to_string());
    }

    fn end(&self, how: &str) {
        self.writer.write(&format!("end {} {how}\n", self.name));
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        self.end(if std::thread::panicking() {
            "panicked"
        } else {
            "dropped"
        });
    }
}

/// The file as a test reads it.
pub struct HandlerLog {
    directory: tempfile::TempDir,
}

/// What became of one run of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    pub process: u32,
    /// A status, `dropped`, `panicked`, or empty while it runs, or when its process was killed.
    pub end: String,
    /// Another run of the same delivery had started before this one, and not ended.
    pub overlaps: bool,
}

/// The runs of each delivery in the order of their starts.
pub type Runs = BTreeMap<String, Vec<Handled>>;

/// Whoever waits so long waits for ever.
const HANG: Duration = Duration::from_secs(60);

impl HandlerLog {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("handled")
    }

    pub fn runs(&self) -> Runs {
        let text = std::fs::read_to_string(self.path()).unwrap_or_default();
        // The last line may be on its way.
        let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
        let mut runs = Runs::new();
        let mut open = BTreeMap::new();
        for line in whole.lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words.as_slice() {
                ["start", process, number, id] => {
                    let of_delivery = runs.entry((*id).to_owned()).or_default();
                    open.insert((*process, *number), of_delivery.len());
                    let overlaps = of_delivery.iter().any(|run| run.end.is_empty());
                    of_delivery.push(Handled {
                        process: process.parse().unwrap(),
                        end: String::new(),
                        overlaps,
                    });
                }
                ["end", process, number, id, how] => {
                    let index = open.remove(&(*process, *number)).unwrap();
                    let of_delivery = runs.get_mut(*id).unwrap();
                    of_delivery.get_mut(index).unwrap().end.push_str(how);
                }
                _ => panic!("{line:?} is no line of a handler"),
            }
        }
        runs
    }

    /// The runs of one delivery.
    pub fn of(&self, id: &str) -> Vec<Handled> {
        self.runs().remove(id).unwrap_or_default()
    }

    /// How the runs of one delivery ended, none of which began before the last was over.
    pub fn ends(&self, id: &str) -> Vec<String> {
        let runs = self.of(id);
        assert!(
            runs.iter().all(|run| !run.overlaps),
            "{id}: two at once: {runs:?}"
        );
        runs.into_iter().map(|run| run.end).collect()
    }

    /// Waits until the runs are as they should be. A file cannot be awaited, so it is read again
    /// and again.
    pub async fn until(&self, what: &str, mut is_so: impl FnMut(&Runs) -> bool) {
        let start = Instant::now();
        loop {
            let runs = self.runs();
            if is_so(&runs) {
                return;
            }
            assert!(start.elapsed() < HANG, "{what} did not happen: {runs:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until this many runs of a delivery have ended.
    pub async fn ended(&self, id: &str, count: usize) {
        let what = format!("end {count} of {id}");
        self.until(&what, |runs| {
            let ended = runs.get(id).into_iter().flatten();
            ended.filter(|run| !run.end.is_empty()).count() >= count
        })
        .await;
    }

    /// Waits until this many runs of a delivery have started.
    pub async fn started(&self, id: &str, count: usize) {
        let what = format!("start {count} of {id}");
        self.until(&what, |runs| {
            runs.get(id).is_some_and(|runs| runs.len() >= count)
        })
        .await;
    }
}
