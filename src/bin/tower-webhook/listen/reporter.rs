//! [`Reporter`]: prints, saves and explains requests, after they were answered.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::Serialize;
use tokio::sync::Notify;
use tower_webhook::{
    capture::CapturedRequest,
    explain::{Budget, Report},
};

use crate::{
    arguments::Format,
    explain::coloured,
    failure::{OrUndone, Result},
    listen::{
        endpoints::Endpoints,
        record::{Record, Verdict},
    },
    output::{self, FAINT, Reader, escaped, styled},
};

/// How many requests wait to be printed. Of more, the lines are left out, and counted.
const WAITING: usize = 1024;

/// How many refusals wait to be explained, which is done one at a time.
const UNEXPLAINED: usize = 16;

/// How many requests one run saves, since anybody can send some.
const MOST_SAVED: u32 = 1000;

pub(crate) struct ReporterOptions {
    pub(crate) format: Format,
    pub(crate) save: Option<PathBuf>,
    pub(crate) show_body: bool,
    pub(crate) explain: bool,
    pub(crate) budget: Duration,
}

/// Takes requests that were answered, without waiting for whoever reads the lines.
#[derive(Clone)]
pub(crate) struct Records {
    sender: SyncSender<Record>,
    left_out: Arc<AtomicU64>,
}

impl Records {
    pub(crate) fn add(&self, record: Record) {
        if self.sender.try_send(record).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Two threads: one prints and saves, the other explains.
pub(crate) struct Reporter {
    records: Records,
    printer: JoinHandle<()>,
    is_stopping: Arc<AtomicBool>,
    unread: Arc<Notify>,
}

/// A refusal that waits for its explanation.
struct Question {
    number: u64,
    endpoint: String,
    member: Option<String>,
    captured: CapturedRequest,
}

impl Reporter {
    pub(crate) fn start(endpoints: Arc<Endpoints>, options: &ReporterOptions) -> Result<Self> {
        let saver = match &options.save {
            Some(directory) => Some(Saver::new(directory.clone())?),
            None => None,
        };
        let (sender, received) = mpsc::sync_channel(WAITING);
        let left_out = Arc::new(AtomicU64::new(0));
        let (questions, asked) = mpsc::sync_channel(UNEXPLAINED);
        let is_stopping = Arc::new(AtomicBool::new(false));
        let unread = Arc::new(Notify::new());
        let format = options.format;
        let explainer = Explainer {
            endpoints: Arc::clone(&endpoints),
            budget: Budget::from(options.budget),
            format,
            is_stopping: Arc::clone(&is_stopping),
            unread: Arc::clone(&unread),
        };
        let explainer = thread::Builder::new()
            .name("explainer".to_owned())
            .spawn(move || explainer.run(&asked))
            .or_undone("a thread")?;
        let printer = Printer {
            endpoints,
            format,
            show_body: options.show_body,
            questions: options.explain.then_some(questions),
            saver,
            left_out: Arc::clone(&left_out),
            unread: Arc::clone(&unread),
        };
        let printer = thread::Builder::new()
            .name("printer".to_owned())
            .spawn(move || {
                printer.run(&received);
                // The questions are dropped by now, so that this ends.
                let _ = explainer.join();
            })
            .or_undone("a thread")?;
        Ok(Self {
            records: Records { sender, left_out },
            printer,
            is_stopping,
            unread,
        })
    }

    /// Takes requests that were answered.
    pub(crate) fn records(&self) -> Records {
        self.records.clone()
    }

    /// Tells when nobody reads standard output any more.
    pub(crate) fn unread(&self) -> Arc<Notify> {
        Arc::clone(&self.unread)
    }

    /// Says on standard output where the program listens.
    pub(crate) fn announce(&self, address: SocketAddr) -> Result<()> {
        #[derive(Serialize)]
        struct Listening {
            event: &'static str,
            address: String,
        }
        output::print_json_to_reader(&Listening {
            event: "listening",
            address: address.to_string(),
        })
        .map(|reader| tell(&self.unread, reader))
    }

    /// Waits until everything that was received is printed. An explanation that has begun is
    /// finished, and others are left out and counted.
    pub(crate) fn stop(self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        drop(self.records);
        let _ = self.printer.join();
    }
}

fn tell(unread: &Notify, reader: Reader) {
    if reader == Reader::Gone {
        unread.notify_one();
    }
}

struct Printer {
    endpoints: Arc<Endpoints>,
    format: Format,
    show_body: bool,
    questions: Option<SyncSender<Question>>,
    saver: Option<Saver>,
    left_out: Arc<AtomicU64>,
    unread: Arc<Notify>,
}

impl Printer {
    fn run(mut self, received: &Receiver<Record>) {
        while let Ok(record) = received.recv() {
            self.show(record);
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                output::warn(format_args!(
                    "{left_out} requests were answered and are not shown, because {WAITING} others wait for that"
                ));
            }
        }
    }

    fn show(&mut self, mut record: Record) {
        let endpoint = record.endpoint.as_deref();
        let endpoint = endpoint.and_then(|name| self.endpoints.named(name));
        let captured = record.captured.take();
        let captured = captured.map(|captured| match endpoint {
            Some(endpoint) => endpoint.about(captured),
            None => captured,
        });
        if let (Some(saver), Some(captured)) = (&mut self.saver, &captured) {
            record.saved = saver.save(captured);
        }
        let printed = match self.format {
            Format::Json => output::print_json_to_reader(&record),
            Format::Human => output::print_to_reader(&self.text(&record, captured.as_ref())),
        };
        match printed {
            Ok(reader) => tell(&self.unread, reader),
            Err(failure) => output::error(failure.message()),
        }
        let (Some(questions), Some(captured), Some(endpoint)) =
            (&self.questions, captured, record.endpoint)
        else {
            return;
        };
        let is_refused = matches!(record.verdict, Verdict::Refused | Verdict::PassedOn);
        // What the service itself could not do has no cause in the request.
        if !is_refused || record.kind.is_none() || captured.left_out() > 0 {
            return;
        }
        let question = Question {
            number: record.number,
            endpoint,
            member: record.refused_by,
            captured,
        };
        if questions.try_send(question).is_err() {
            output::note(format_args!(
                "#{} is not explained, because {UNEXPLAINED} others wait for that",
                record.number
            ));
        }
    }

    fn text(&self, record: &Record, captured: Option<&CapturedRequest>) -> String {
        const LONGEST: usize = 4096;
        let mut text = record.line();
        if let (true, Some(captured)) = (self.show_body, captured) {
            let body = captured.body();
            let shown = String::from_utf8_lossy(body.get(..LONGEST).unwrap_or(body));
            for line in shown.lines() {
                text += &format!("      | {}\n", escaped(line));
            }
            if body.len() > LONGEST {
                text += "      | …\n";
            }
        }
        text
    }
}

struct Explainer {
    endpoints: Arc<Endpoints>,
    budget: Budget,
    format: Format,
    is_stopping: Arc<AtomicBool>,
    unread: Arc<Notify>,
}

impl Explainer {
    fn run(&self, asked: &Receiver<Question>) {
        while let Ok(question) = asked.recv() {
            if self.is_stopping.load(Ordering::Relaxed) {
                // The printer asks until it has shown everything.
                let left_out = asked.iter().count().saturating_add(1);
                output::note(format_args!(
                    "refusals that are not explained, because the program was stopped: {left_out}"
                ));
                return;
            }
            let endpoint = self.endpoints.named(&question.endpoint);
            let report = endpoint.and_then(|endpoint| {
                endpoint.explain(question.member.as_deref(), &question.captured, self.budget)
            });
            let Some(report) = report else {
                continue;
            };
            match self.print(question.number, &report) {
                Ok(reader) => tell(&self.unread, reader),
                Err(failure) => output::error(failure.message()),
            }
        }
    }

    fn print(&self, number: u64, report: &Report) -> Result<Reader> {
        #[derive(Serialize)]
        struct Explanation<'r> {
            event: &'static str,
            number: u64,
            #[serde(flatten)]
            report: &'r Report,
        }
        match self.format {
            Format::Json => output::print_json_to_reader(&Explanation {
                event: "explanation",
                number,
                report,
            }),
            Format::Human => {
                let text = report.to_string();
                let lines = text.lines();
                // The line of the request has said that it is refused.
                let lines = lines.filter(|line| !line.starts_with("not genuine as it stands"));
                let lines: String = lines.map(|line| format!("{line}\n")).collect();
                let lines = coloured(&lines);
                let mark = styled(FAINT, format!("{:>14}", format!("#{number}")));
                let lines = lines.lines().map(|line| format!("{mark} {line}\n"));
                output::print_to_reader(&lines.collect::<String>())
            }
        }
    }
}

/// Writes requests to new files in a directory.
struct Saver {
    directory: PathBuf,
    next: u32,
    saved: u32,
}

impl Saver {
    fn new(directory: PathBuf) -> Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory).or_undone(directory.display())?;
        let files = fs::read_dir(&directory).or_undone(directory.display())?;
        let numbers = files.filter_map(|file| {
            let name = file.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".json")?.parse::<u32>().ok()
        });
        let last = numbers.max().unwrap_or(0);
        Ok(Self {
            directory,
            next: last.saturating_add(1),
            saved: 0,
        })
    }

    /// The name of the file. A failure is said, and stops nothing.
    fn save(&mut self, captured: &CapturedRequest) -> Option<String> {
        if self.saved >= MOST_SAVED {
            if self.saved == MOST_SAVED {
                self.saved = self.saved.saturating_add(1);
                output::warn(format_args!(
                    "{MOST_SAVED} requests were saved, and no more are; start again to save others"
                ));
            }
            return None;
        }
        let path = self.directory.join(format!("{:04}.json", self.next));
        self.next = self.next.saturating_add(1);
        match captured.save(&path) {
            Ok(()) => {
                self.saved = self.saved.saturating_add(1);
                Some(path.display().to_string())
            }
            Err(error) => {
                output::warn(format_args!("{}: not saved: {error}", path.display()));
                None
            }
        }
    }
}
