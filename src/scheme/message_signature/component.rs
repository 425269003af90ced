//! [`Component`]: a part of a request that a signature covers.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sfv::{BareItem, FieldType, Item, Parser};

use crate::{
    form,
    head::Head,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        message_signature::field::{
            combined, dictionary, is_plain, is_structured, lines, member, strict,
        },
        url::Url,
    },
};

/// What [section 2.2.8](https://www.rfc-editor.org/rfc/rfc9421#section-2.2.8) leaves as it is.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// A component identifier: a name, and parameters that say how the value is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Component(Item);

/// What a request has beside its fields.
pub(super) struct Request<'r> {
    pub(super) head: Head<'r>,
    /// Where the request was sent to, if the endpoint says it.
    pub(super) url: Option<Url>,
}

/// What an identifier means.
enum Meaning<'c> {
    Derived(Derived),
    QueryParam(&'c str),
    Field(&'c str, Reading<'c>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Derived {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
}

const DERIVED: [(&str, Derived); 7] = [
    ("@method", Derived::Method),
    ("@target-uri", Derived::TargetUri),
    ("@authority", Derived::Authority),
    ("@scheme", Derived::Scheme),
    ("@request-target", Derived::RequestTarget),
    ("@path", Derived::Path),
    ("@query", Derived::Query),
];
const QUERY_PARAM: &str = "@query-param";
/// What only responses have.
const STATUS: &str = "@status";
const CONTENT_DIGEST: &str = "content-digest";

/// How the value of a field is read.
#[derive(Clone, Copy)]
enum Reading<'c> {
    /// As it is.
    Plain,
    /// `sf`: as a structured field, serialised anew.
    Strict,
    /// `key`: one member of a dictionary.
    Member(&'c str),
    /// `bs`: the bytes of each line, in base64.
    Bytes,
}

impl Component {
    pub(super) fn new(item: Item) -> Self {
        Self(item)
    }

    /// Reads an identifier as it is written in settings: the quotes around the name may be missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let quoted = if text.starts_with('"') {
            text.to_owned()
        } else {
            let (name, params) = text
                .split_once(';')
                .map_or((text, None), |(name, params)| (name, Some(params)));
            match params {
                Some(params) => format!("\"{name}\";{params}"),
                None => format!("\"{name}\""),
            }
        };
        let item = Parser::new(&quoted).parse::<Item>().ok()?;
        let component = Self(item);
        component.meaning().is_some().then_some(component)
    }

    fn name(&self) -> Option<&str> {
        Some(self.0.bare_item.as_string()?.as_str())
    }

    /// The identifier as it is signed.
    pub(super) fn identifier(&self) -> String {
        self.0.serialize()
    }

    pub(super) fn into_item(self) -> Item {
        self.0
    }

    /// What the identifier means in a request. `None` if nothing: of a response, of trailers, of
    /// another request, with parameters that do not belong to it, or unknown.
    fn meaning(&self) -> Option<Meaning<'_>> {
        let name = self.name()?;
        let params = &self.0.params;
        if name == QUERY_PARAM {
            let param = params.get("name")?.as_string()?.as_str();
            return (params.len() == 1).then_some(Meaning::QueryParam(param));
        }
        if name.starts_with('@') {
            let (_, derived) = DERIVED.iter().find(|(known, _)| *known == name)?;
            return params.is_empty().then_some(Meaning::Derived(*derived));
        }
        let is_field = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !is_field || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let (mut is_strict, mut is_bytes, mut member) = (false, false, None);
        for (key, value) in params {
            match (key.as_str(), value) {
                ("sf", BareItem::Boolean(true)) => is_strict = true,
                ("bs", BareItem::Boolean(true)) => is_bytes = true,
                ("key", BareItem::String(key)) => member = Some(key.as_str()),
                _ => return None,
            }
        }
        let reading = match (member, is_strict, is_bytes) {
            (None, false, false) => Reading::Plain,
            (None, true, false) if is_structured(name) => Reading::Strict,
            (None, false, true) => Reading::Bytes,
            // A member is always serialised strictly.
            (Some(key), _, false) => Reading::Member(key),
            _ => return None,
        };
        Some(Meaning::Field(name, reading))
    }

    /// Whether the value contains the scheme or the host.
    pub(super) fn needs_url(&self) -> bool {
        let needing = [Derived::TargetUri, Derived::Authority, Derived::Scheme];
        matches!(self.meaning(), Some(Meaning::Derived(derived)) if needing.contains(&derived))
    }

    /// Whether the method or the query is a part of the value.
    #[cfg(feature = "tower")]
    pub(super) fn is_of_request_line(&self) -> bool {
        let parts = [
            Derived::Method,
            Derived::TargetUri,
            Derived::RequestTarget,
            Derived::Query,
        ];
        match self.meaning() {
            Some(Meaning::Derived(derived)) => parts.contains(&derived),
            Some(Meaning::QueryParam(_)) => true,
            _ => false,
        }
    }

    /// Whether it is the field with the digests of the body, or a part of that.
    pub(super) fn is_digest(&self) -> bool {
        self.name() == Some(CONTENT_DIGEST)
    }

    /// Whether the value has the digests of the body by which it is compared.
    pub(super) fn covers_body(&self) -> bool {
        match self.meaning() {
            Some(Meaning::Field(CONTENT_DIGEST, Reading::Member(key))) => {
                matches!(key, "sha-256" | "sha-512")
            }
            Some(Meaning::Field(name, _)) => name == CONTENT_DIGEST,
            _ => false,
        }
    }

    /// The line of what is signed.
    pub(super) fn line(&self, request: &Request<'_>) -> Result<String, Reason> {
        let value = self.value(request)?;
        Ok(format!("{}: {value}\n", self.identifier()))
    }

    /// How much of a request is parsed for the value.
    pub(super) fn parsed_length(&self, request: &Request<'_>) -> usize {
        match self.meaning() {
            Some(Meaning::QueryParam(_)) => request.head.query.len(),
            Some(Meaning::Field(name, Reading::Strict | Reading::Member(_))) => {
                let lines = lines(&request.head, name);
                lines.iter().map(|line| line.len()).sum()
            }
            _ => 0,
        }
    }

    /// The value in a request.
    fn value(&self, request: &Request<'_>) -> Result<String, Reason> {
        let head = &request.head;
        let refused = |kind| Err(self.refused(kind));
        let Some(meaning) = self.meaning() else {
            return refused(RejectionKind::MissingField);
        };
        let value = match meaning {
            Meaning::Derived(derived) => derived.value(request),
            Meaning::QueryParam(name) => match query_value(head.query, name) {
                Ok(value) => Some(value),
                Err(kind) => return refused(kind),
            },
            Meaning::Field(name, reading) => {
                if lines(head, name).is_empty() {
                    return refused(RejectionKind::MissingHeader);
                }
                match field(head, name, reading) {
                    Some(value) => Some(value),
                    None => return refused(RejectionKind::MalformedHeader),
                }
            }
        };
        let Some(value) = value else {
            return refused(RejectionKind::MissingField);
        };
        if is_plain(&value) {
            return Ok(value);
        }
        refused(RejectionKind::MalformedHeader)
    }

    /// A refusal. Only names from fixed lists are text that a log may have.
    #[cold]
    pub(super) fn refused(&self, kind: RejectionKind) -> Reason {
        let name = self.name().unwrap_or_default();
        if kind == RejectionKind::MissingHeader && name == CONTENT_DIGEST {
            return Reason::new(kind).about(&"Content-Digest".into());
        }
        let mut known = DERIVED.iter().map(|(known, _)| *known);
        let others = [QUERY_PARAM, STATUS, CONTENT_DIGEST];
        let known = known.find(|known| *known == name);
        let known = known.or_else(|| others.into_iter().find(|other| *other == name));
        let reason = Reason::new(kind).about(&"Signature-Input".into());
        match known {
            Some(name) => reason.with_field(name),
            None => reason,
        }
    }
}

impl Derived {
    /// `None` if the endpoint does not say where requests are sent to.
    fn value(self, request: &Request<'_>) -> Option<String> {
        let head = &request.head;
        let url = request.url.as_ref();
        let path = url.map_or(head.path, |url| &url.path);
        let path = if path.is_empty() { "/" } else { path };
        let target = || match head.query {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        Some(match self {
            Self::Method => head.method.to_owned(),
            Self::TargetUri => format!("{}{}", url?.normal_origin(), target()),
            Self::Authority => url?.authority(),
            Self::Scheme => url?.scheme_name(),
            Self::RequestTarget => target(),
            Self::Path => path.to_owned(),
            Self::Query => format!("?{}", head.query),
        })
    }
}

/// The value of the only parameter of this name, encoded as it is signed. The name is encoded, too.
fn query_value(query: &str, name: &str) -> Result<String, RejectionKind> {
    let form = form::parse(query.as_bytes()).map_err(|_| RejectionKind::MissingField)?;
    let encoded = |text: &str| utf8_percent_encode(text, QUERY_VALUE).to_string();
    let mut named = form.iter().filter(|(known, _)| encoded(known) == name);
    let (_, value) = named.next().ok_or(RejectionKind::MissingField)?;
    if named.next().is_some() {
        return Err(RejectionKind::RepeatedField);
    }
    Ok(encoded(value))
}

/// The value of a field.
fn field(head: &Head<'_>, name: &str, reading: Reading<'_>) -> Option<String> {
    if let Reading::Bytes = reading {
        let lines = lines(head, name);
        let encoded = lines
            .iter()
            .map(|line| format!(":{}:", STANDARD.encode(line)));
        return Some(encoded.collect::<Vec<_>>().join(", "));
    }
    let value = combined(head, name)?;
    match reading {
        Reading::Plain | Reading::Bytes => Some(value),
        Reading::Strict => strict(name, &value),
        Reading::Member(key) => dictionary(&value)?.get(key).map(member),
    }
}
