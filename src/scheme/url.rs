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
pub(crate) const PARAMS: [&str; 3] = ["url", "url_from", "query"];

/// The only value of `url_from`.
const FORWARDED: &str = "x-forwarded";

/// A URL without its fragment.
#[derive(Clone)]
pub(crate) struct Url {
    /// `https://`, in the case of the sender.
    scheme: String,
    /// The host, behind a user if there is one.
    host: String,
    port: Option<String>,
    pub(crate) path: String,
    pub(crate) query: String,
}

/// The only value of `query`.
const ANY: &str = "any";

/// Refuses a `url` that is missing or is none.
pub(crate) fn check(params: &Params) -> Result<(), SetupError> {
    if params.get("query").is_some_and(|query| query != ANY) {
        return Err(SetupError::new(format!(
            "query: it is not {ANY:?}, which is the only value; remove it to accept the query of url only"
        )));
    }
    check_source(params)
}

/// Refuses both sources of a URL at once, none, and a `url` that is none.
pub(crate) fn check_source(params: &Params) -> Result<(), SetupError> {
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
    check_url(parameter(params, "url")?)
}

/// Refuses a text that is no URL. A query may have spaces, since some senders sign it decoded.
pub(crate) fn check_url(url: &str) -> Result<(), SetupError> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let is_spaced = address.contains(|letter: char| letter.is_whitespace())
        || query.trim() != query
        || query.contains(|letter: char| letter.is_control());
    if Url::parse(url).is_none() || is_spaced {
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

    /// The URL to which a request was sent: the registered one, whose query the request has to
    /// have, with what the sender has `added` to it.
    pub(crate) fn of(head: &SpecialHead<'_>, added: &str) -> Result<Self, Reason> {
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

    /// The URL to which a request was sent, where the signature covers the query that was received:
    /// the scheme and the host are the registered ones. So is the path, if it is registered,
    /// because the layer may see only the end of it. `None` if the endpoint says nothing of it.
    #[cfg(feature = "message-signatures")]
    pub(crate) fn received(head: &SpecialHead<'_>) -> Result<Option<Self>, Reason> {
        if head.param("url_from") == Some(FORWARDED) {
            return Self::forwarded(head).map(Some);
        }
        let Some(mut url) = head.param("url").and_then(Self::parse) else {
            return Ok(None);
        };
        let (path, query) = (head.head.path, head.head.query);
        if url.path == "/" {
            path.clone_into(&mut url.path);
        }
        let is_end = path == "/" || (path.starts_with('/') && url.path.ends_with(path));
        if !is_end || !(url.query.is_empty() || url.query == query) {
            // It is signed for another address.
            return Err(Reason::new(RejectionKind::SignatureMismatch));
        }
        query.clone_into(&mut url.query);
        Ok(Some(url))
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
    pub(crate) fn origin(&self) -> String {
        match &self.port {
            Some(port) => format!("{}{}:{port}", self.scheme, self.host),
            None => format!("{}{}", self.scheme, self.host),
        }
    }

    /// The scheme in lower case, without what follows it.
    #[cfg(feature = "message-signatures")]
    pub(crate) fn scheme_name(&self) -> String {
        let name = self.scheme.split(':').next().unwrap_or_default();
        name.to_ascii_lowercase()
    }

    /// The host in lower case, and the port unless it is the one of the scheme.
    #[cfg(feature = "message-signatures")]
    pub(crate) fn authority(&self) -> String {
        let host = self.host.rsplit('@').next().unwrap_or_default();
        let host = host.to_ascii_lowercase();
        let default = self.default_port();
        match &self.port {
            Some(port) if !port.is_empty() && port != default => format!("{host}:{port}"),
            _ => host,
        }
    }

    /// Scheme, host and port in their normal form.
    #[cfg(feature = "message-signatures")]
    pub(crate) fn normal_origin(&self) -> String {
        format!("{}://{}", self.scheme_name(), self.authority())
    }

    fn default_port(&self) -> &'static str {
        if self.scheme.eq_ignore_ascii_case("https://") {
            "443"
        } else {
            "80"
        }
    }

    pub(crate) fn without_port(&self) -> Self {
        Self {
            port: None,
            ..self.clone()
        }
    }

    pub(crate) fn with_query(&self, query: String) -> Self {
        Self {
            query,
            ..self.clone()
        }
    }

    /// With the default port, unless there is one.
    pub(crate) fn with_port(&self) -> Self {
        let default = self.default_port();
        let port = self.port.clone();
        Self {
            port: port.or_else(|| Some(default.to_owned())),
            ..self.clone()
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.origin();
        text.push_str(&self.path);
        if !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        text
    }
}
