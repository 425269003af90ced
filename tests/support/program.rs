//! Programs as processes: what they print, line by line, and how they end.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// Nothing here takes a hundredth of this; whoever waits so long waits for ever.
const HANG: Duration = Duration::from_secs(60);

/// A running program. It ends with this value.
pub struct Process {
    child: Child,
    pub stdout: Lines,
    pub stderr: Lines,
}

/// What is left of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts it with nothing on standard input.
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, b"")
    }

    /// Starts it with these bytes on standard input.
    pub fn spawn_with(command: &mut Command, stdin: &[u8]) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read it may have ended by now.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        Self {
            stdout: Lines::of(child.stdout.take().unwrap()),
            stderr: Lines::of(child.stderr.take().unwrap()),
            child,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        // `kill` is built into every shell, and not a program everywhere.
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid])
            .status();
        assert!(sent.unwrap().success(), "signal {name}");
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> Ended {
        // Both pipes close when the process ends.
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        let code = self.child.wait().unwrap().code();
        Ended {
            code,
            stdout,
            stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, as they come.
pub struct Lines(Arc<(Mutex<Seen>, Condvar)>);

#[derive(Default)]
struct Seen {
    lines: Vec<String>,
    closed: bool,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Seen>, Condvar)>::default();
        let lines = Self(Arc::clone(&shared));
        thread::spawn(move || {
            let (seen, changed) = &*shared;
            for line in BufReader::new(pipe).lines() {
                seen.lock().unwrap().lines.push(line.unwrap());
                changed.notify_all();
            }
            seen.lock().unwrap().closed = true;
            changed.notify_all();
        });
        lines
    }

    /// The first line that begins like this, or `None` once there can be none any more.
    pub fn line(&self, start: &str) -> Option<String> {
        self.wait(|seen| {
            let found = seen.lines.iter().find(|line| line.starts_with(start));
            (found.is_some() || seen.closed).then(|| found.cloned())
        })
    }

    pub fn all(&self) -> String {
        self.wait(|seen| seen.closed.then(|| seen.lines.join("\n")))
    }

    pub fn text(&self) -> String {
        self.wait(|seen| Some(seen.lines.join("\n")))
    }

    /// The first line for which `is_it` is true, or `None` once there can be none any more.
    pub fn find(&self, is_it: impl Fn(&str) -> bool) -> Option<String> {
        self.wait(|seen| {
            let found = seen.lines.iter().find(|line| is_it(line));
            (found.is_some() || seen.closed).then(|| found.cloned())
        })
    }

    fn wait<T>(&self, mut look: impl FnMut(&Seen) -> Option<T>) -> T {
        let (seen, changed) = &*self.0;
        let mut seen = seen.lock().unwrap();
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let (next, timeout) = changed.wait_timeout(seen, HANG).unwrap();
            assert!(!timeout.timed_out(), "the program says nothing more");
            seen = next;
        }
    }
}
