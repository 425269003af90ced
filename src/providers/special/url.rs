//! The URL as the sender signed it.

use crate::{
    error::SetupError,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        params::{Params, parameter},
        special::SpecialHead,
    },
};

/// The parameters of schemes that sign the URL.
pub(super) const PARAMS: [&str; 3] = ["url", "url_from", "query"];

/// The only value of `url_from`.
const FORWARDED: &str = "x-forwarded";

/// A URL without its fragment.
#[derive(Clone)]
pub(super) struct Url {
    /// `https://`, in the case of the sender.
    scheme: String,
    /// The host, behind a user if there is one.
    host: String,
    port: Option<String>,
    pub(super) path: String,
    pub(super) query: String,
}

/// The only value of `query`.
const ANY: &str = "any";

/// Refuses a `url` that is missing or is none.
pub(super) fn check(params: &Params) -> Result<(), SetupError> {
    if params.get("query").is_some_and(|query| query != ANY) {
        return Err(SetupError::new(format!(
            "query: it is not {ANY:?}, which is the only value; remove it to accept the query of url only"
        )));
    }
    match params.get("url_from") {
        None => {}
        Some(value) if value == FORWARDED && params.contains_key("url") => {
            return Err(SetupError::new(
                "url_from: url is set as well; keep one of them",
            ));
        }
        Some(value) if value == FORWARDED => return Ok(()),
        Some(_) => {
            return Err(SetupError::new(format!(
                "url_from: it is not {FORWARDED:?}, which is the only value; remove it to use url"
            )));
        }
    }
    let url = parameter(params, "url")?;
    if Url::parse(url).is_none() || url.contains(|letter: char| letter.is_whitespace()) {
        return Err(SetupError::new(
            "url: it is no URL; set the one that is registered with the provider, from https:// on",
        ));
    }
    Ok(())
}

impl Url {
    fn parse(text: &str) -> Option<Self> {
        let text = text.split('#').next()?;
        let (scheme, rest) = text.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, Some(port.to_owned()))
            }
            _ => (authority, None),
        };
        if host.is_empty() {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Some(Self {
            scheme: format!("{scheme}://"),
            host: host.to_owned(),
            port,
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: query.to_owned(),
        })
    }

    /// The URL to which a request was sent: the registered one, whose query the request has to have,
    /// with what the sender has `added` to it.
    pub(super) fn of(head: &SpecialHead<'_>, added: &str) -> Result<Self, Reason> {
        let query = head.head.query;
        if head.param("url_from") == Some(FORWARDED) {
            return Self::forwarded(head);
        }
        let url = head.param("url").and_then(Self::parse);
        let Some(mut url) = url else {
            unreachable!("the URL was checked");
        };
        let own = query.strip_suffix(added).unwrap_or(query);
        // Text must not move between the end of the URL and what is signed after it.
        let is_any = head.param("query") == Some(ANY);
        if !is_any && url.query != own {
            // It is signed for another address.
            return Err(Reason::new(RejectionKind::SignatureMismatch));
        }
        url.query = query.to_owned();
        Ok(url)
    }

    /// The scheme and the host are those that the proxy says.
    fn forwarded(head: &SpecialHead<'_>) -> Result<Self, Reason> {
        let one = |name: &str| {
            let value = head.header(name)?;
            // Of several proxies, which one is trusted is not known.
            let is_one = !value.is_empty() && !value.contains([',', ' ', '/', '?', '#']);
            let malformed = || Reason::new(RejectionKind::MalformedHeader).about(&name.into());
            is_one.then_some(value).ok_or_else(malformed)
        };
        let (scheme, host) = (one("X-Forwarded-Proto")?, one("X-Forwarded-Host")?);
        let url = Self::parse(&format!("{scheme}://{host}{}", head.head.path));
        let malformed = || {
            let reason = Reason::new(RejectionKind::MalformedHeader);
            reason.about(&"X-Forwarded-Proto".into())
        };
        let mut url = url.ok_or_else(malformed)?;
        url.query = head.head.query.to_owned();
        Ok(url)
    }

    /// Scheme, host and port as they are written.
    pub(super) fn origin(&self) -> String {
        match &self.port {
            Some(port) => format!("{}{}:{port}", self.scheme, self.host),
            None => format!("{}{}", self.scheme, self.host),
        }
    }

    pub(super) fn without_port(&self) -> Self {
        Self {
            port: None,
            ..self.clone()
        }
    }

    pub(super) fn with_query(&self, query: String) -> Self {
        Self {
            query,
            ..self.clone()
        }
    }

    /// With the default port, unless there is one.
    pub(super) fn with_port(&self) -> Self {
        let default = if self.scheme.eq_ignore_ascii_case("https://") {
            "443"
        } else {
            "80"
        };
        let port = self.port.clone();
        Self {
            port: port.or_else(|| Some(default.to_owned())),
            ..self.clone()
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.origin();
        text.push_str(&self.path);
        if !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        text
    }
}
