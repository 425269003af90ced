//! What is printed: results on standard output, the rest on standard error.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::failure::{Failure, Result};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A text in a style. What is printed where no colours belong loses them.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Whether somebody reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Present,
    /// Whoever has closed the pipe has read enough, which is no failure.
    Gone,
}

/// Prints lines of a result.
pub(crate) fn print(text: &str) -> Result<()> {
    print_to_reader(text).map(drop)
}

/// Prints a result as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<()> {
    print_json_to_reader(value).map(drop)
}

/// Prints bytes as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<()> {
    print_bytes_to_reader(bytes).map(drop)
}

/// As [`print()`], for a command that goes on until nobody reads.
pub(crate) fn print_to_reader(text: &str) -> Result<Reader> {
    let mut out = anstream::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// As [`print_json()`], for a command that goes on until nobody reads.
pub(crate) fn print_json_to_reader(value: &impl Serialize) -> Result<Reader> {
    let mut line = serde_json::to_vec(value)
        .map_err(|error| Failure::undone(format!("the result cannot be written: {error}")))?;
    line.push(b'\n');
    print_bytes_to_reader(&line)
}

fn print_bytes_to_reader(bytes: &[u8]) -> Result<Reader> {
    let mut out = io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

fn written(written: io::Result<()>) -> Result<Reader> {
    match written {
        Ok(()) => Ok(Reader::Present),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::undone(format!("standard output: {error}"))),
    }
}

/// Prints a problem and its remedy.
pub(crate) fn error(message: &str) {
    say(&format!("{} {message}", styled(BAD, "error:")));
}

pub(crate) fn warn(message: impl Display) {
    say(&format!("{} {message}", styled(WARNING, "warning:")));
}

pub(crate) fn note(message: impl Display) {
    say(&format!("{} {message}", styled(FAINT, "note:")));
}

/// Prints a line that is no result.
pub(crate) fn say(text: &str) {
    // Nothing is left to be told where standard error cannot be written.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A text of a request, so that it cannot disturb a terminal: control characters and those that
/// change the direction of writing are escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_invisible = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if letter.is_control() || is_invisible {
            all.extend(letter.escape_unicode());
        } else {
            all.push(letter);
        }
    }
    all
}

/// Does something, and says so on a terminal once it takes longer than a second.
pub(crate) fn with_progress<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            let waited = is_done.recv_timeout(Duration::from_secs(1));
            if waited == Err(mpsc::RecvTimeoutError::Timeout) {
                say(&styled(FAINT, what));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_request_cannot_disturb_a_terminal() {
        for (text, expected) in [
            ("push", "push"),
            ("größe 世界", "größe 世界"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
