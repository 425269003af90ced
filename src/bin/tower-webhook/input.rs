//! What is read: files and standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use tower_webhook::capture::CapturedRequest;

use crate::{
    arguments::{CaptureArguments, SettingArguments},
    clock,
    failure::{Failure, OrUndone, Result},
    output,
};

/// The name of standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses to read both the secret and a file from standard input.
pub(crate) fn check_stdin(settings: &SettingArguments, file: &Path) -> Result<()> {
    if settings.secrets.secret_stdin && is_stdin(file) {
        return Err(Failure::usage(
            "--secret-stdin: standard input is read for the other file already; use --secret-env or --secret-file",
        ));
    }
    Ok(())
}

/// Reads a file, or standard input for `-`. Longer than `most` bytes is refused.
pub(crate) fn read(path: &Path, most: usize) -> Result<Vec<u8>> {
    let place = if is_stdin(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.or_undone(format_args!("{place}: cannot be read"))?;
    if bytes.len() > most {
        return Err(Failure::undone(format!(
            "{place}: it has more than {} MiB",
            most >> 20
        )));
    }
    Ok(bytes)
}

/// A captured request, and the time by which it is judged.
pub(crate) struct Capture {
    pub(crate) request: CapturedRequest,
    /// `None` if it is not known when it was received.
    pub(crate) time: Option<(SystemTime, &'static str)>,
}

impl Capture {
    /// Reads the request that the arguments name.
    pub(crate) fn read(arguments: &CaptureArguments) -> Result<Self> {
        let request = read_captured(&arguments.file, arguments.nth)?;
        let given = arguments.now.map(|time| (time.0, "--now"));
        let received = request.received_at().map(|time| (time, "received_at"));
        Ok(Self {
            time: given.or(received),
            request,
        })
    }

    /// The time by which it is judged, which is the current one if nothing says otherwise.
    pub(crate) fn time_or_now(&self) -> (SystemTime, &'static str) {
        self.time.unwrap_or_else(|| (clock::now(), "clock"))
    }
}

/// Reads one of the requests in a file, counted from 1.
pub(crate) fn read_captured(path: &Path, nth: u32) -> Result<CapturedRequest> {
    let text = read(path, CapturedRequest::MAX_TEXT)?;
    let requests = CapturedRequest::read_all(&text).or_undone(path.display())?;
    let count = requests.len();
    if count > 1 {
        output::note(format_args!(
            "{} holds {count} requests; this is about number {nth}",
            path.display()
        ));
    }
    let place = usize::try_from(nth).unwrap_or(usize::MAX).saturating_sub(1);
    let request = requests.into_iter().nth(place);
    request.ok_or_else(|| {
        Failure::usage(match count {
            0 => format!("{}: there is no request in it", path.display()),
            1 => format!("{}: it holds one request; leave --nth out", path.display()),
            _ => format!("{}: it holds {count} requests", path.display()),
        })
    })
}
