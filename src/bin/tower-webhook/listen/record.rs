//! [`Record`]: what is shown of a request.

use std::time::SystemTime;

use http::StatusCode;
use serde::Serialize;
use tower_webhook::{Hint, Rejection, capture::CapturedRequest};

use crate::{
    clock,
    listen::service::Inside,
    output::{BAD, FAINT, GOOD, WARNING, escaped, styled},
};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Genuine,
    Refused,
    /// A question of the provider, which was answered.
    Handshake,
    /// It was refused, and passed on because the endpoint only logs that.
    PassedOn,
    NoEndpoint,
}

/// One request, as it is shown. As JSON, it is a line of its own.
#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) event: &'static str,
    pub(crate) number: u64,
    pub(crate) time: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) verdict: Verdict,
    pub(crate) kind: Option<&'static str>,
    pub(crate) message: Option<String>,
    /// The header that was refused.
    pub(crate) header: Option<String>,
    pub(crate) hints: Vec<&'static str>,
    pub(crate) key_id: Option<String>,
    pub(crate) variant: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) delivery_id: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) status: u16,
    pub(crate) upstream_status: Option<u16>,
    pub(crate) upstream_error: Option<String>,
    /// The file that the request was saved to.
    pub(crate) saved: Option<String>,
    #[serde(skip)]
    pub(crate) received_at: SystemTime,
    /// The member of a group that refused it.
    #[serde(skip)]
    pub(crate) refused_by: Option<String>,
    #[serde(skip)]
    pub(crate) captured: Option<CapturedRequest>,
}

impl Record {
    pub(crate) fn new(number: u64, received_at: SystemTime, method: &str, path: &str) -> Self {
        Self {
            event: "request",
            number,
            time: clock::date(received_at),
            method: shortened(method),
            path: shortened(path),
            endpoint: None,
            verdict: Verdict::NoEndpoint,
            kind: None,
            message: None,
            header: None,
            hints: Vec::new(),
            key_id: None,
            variant: None,
            event_type: None,
            delivery_id: None,
            bytes: 0,
            status: StatusCode::NOT_FOUND.as_u16(),
            upstream_status: None,
            upstream_error: None,
            saved: None,
            received_at,
            refused_by: None,
            captured: None,
        }
    }

    /// Adds what the layers said.
    pub(crate) fn judge(
        &mut self,
        status: StatusCode,
        refused: Option<&Rejection>,
        inside: &Inside,
    ) {
        self.status = status.as_u16();
        if let Some(upstream) = &inside.upstream {
            match upstream {
                Ok(status) => self.upstream_status = Some(status.as_u16()),
                Err(problem) => self.upstream_error = Some(escaped(problem)),
            }
        }
        if let Some(event) = &inside.event {
            self.verdict = Verdict::Genuine;
            self.key_id = event.key_id().map(str::to_owned);
            self.variant = Some(event.variant().to_owned());
            self.event_type = event.event_type().map(shortened);
            self.delivery_id = event.delivery_id().map(shortened);
            return;
        }
        let (verdict, rejection) = match (refused, &inside.passed_on) {
            (Some(rejection), _) => (Verdict::Refused, Some(rejection)),
            (None, Some(rejection)) => (Verdict::PassedOn, Some(rejection)),
            (None, None) => (Verdict::Handshake, None),
        };
        self.verdict = verdict;
        if let Some(rejection) = rejection {
            self.kind = Some(rejection.kind().as_str());
            self.message = Some(rejection.to_string());
            self.header = rejection.header().map(str::to_owned);
            self.hints = rejection.hints().map(Hint::as_str).collect();
            self.event_type = rejection.event_type().map(str::to_owned);
            self.delivery_id = rejection.delivery_id().map(str::to_owned);
            self.refused_by = rejection.endpoint().map(str::to_owned);
        }
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let (style, verdict) = match self.verdict {
            Verdict::Genuine => (GOOD, "genuine"),
            Verdict::Handshake => (GOOD, "handshake"),
            Verdict::Refused => (BAD, "REFUSED"),
            Verdict::PassedOn => (WARNING, "passed on"),
            Verdict::NoEndpoint => (WARNING, "no endpoint"),
        };
        let mut line = format!(
            "{} {} {:<12} {}",
            styled(FAINT, clock::time_of_day(self.received_at)),
            styled(FAINT, format!("{:>4}", format!("#{}", self.number))),
            escaped(self.endpoint.as_deref().unwrap_or("-")),
            styled(style, format!("{verdict:<9}")),
        );
        let mut add = |text: &str| {
            if !text.is_empty() {
                line += "  ";
                line += text;
            }
        };
        if self.verdict == Verdict::NoEndpoint {
            add(&format!("{} {}", self.method, self.path));
        }
        add(self.kind.unwrap_or_default());
        add(self.header.as_deref().unwrap_or_default());
        add(&self.hints.join(","));
        add(&escaped(self.event_type.as_deref().unwrap_or_default()));
        if let Some(key) = &self.key_id {
            add(&format!("key {}", escaped(key)));
        }
        add(&format!("{} bytes", self.bytes));
        let answer = StatusCode::from_u16(self.status);
        let is_success = answer.is_ok_and(|status| status.is_success());
        let style = if is_success { GOOD } else { BAD };
        add(&styled(style, self.status));
        match (&self.upstream_status, &self.upstream_error) {
            (Some(status), _) => add(&format!("upstream {status}")),
            (None, Some(problem)) => add(&styled(BAD, format!("upstream: {problem}"))),
            (None, None) => {}
        }
        if let Some(file) = &self.saved {
            add(&styled(FAINT, escaped(file)));
        }
        line + "\n"
    }
}

/// A text of the request, with at most some 200 letters.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    let text = escaped(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
