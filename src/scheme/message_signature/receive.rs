//! Which signatures of a request count, and what they are of.

use sfv::KeyRef;

use crate::{
    clock::UnixTime,
    error::SetupError,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        message_signature::{
            MessageSignature, Settings,
            component::{Component, Request},
            digest::Digests,
            input::{self, INPUT, Labelled},
        },
        params::Params,
        special::{HeadSignature, HeadSignatures, SpecialHead, SpecialRequest, Statement},
        timestamp::Outside,
        url::{self, Url},
    },
};

/// As many signatures are compared with a public key.
const MAX_SIGNATURES: usize = 4;

/// How far the checks of a signature came. Of several refusals, the one that came furthest is
/// shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Parameters,
    Components,
    Time,
    Values,
}

impl MessageSignature {
    pub(super) fn check_settings(&self, params: &Params) -> Result<(), SetupError> {
        let settings = self.settings(params);
        let refused =
            |text: &str, why: &str| Err(SetupError::new(format!("components: {text:?} {why}")));
        let mut components: Vec<Component> = Vec::new();
        for text in &settings.components {
            let Some(component) = Component::parse(text) else {
                return refused(
                    text,
                    "is malformed, or nothing that a request has; write the name of a field in lower case, or \
                     @method, @target-uri, @authority, @scheme, @request-target, @path, @query or @query-param;name=\"…\"",
                );
            };
            if components.contains(&component) {
                return refused(text, "is there twice; keep one");
            }
            if component.is_digest() && !component.covers_body() {
                return refused(
                    text,
                    "is a digest that proves nothing; require sha-256 or sha-512",
                );
            }
            components.push(component);
        }
        if components.is_empty() {
            return Err(SetupError::new(
                "components: it is empty, so a signature would cover nothing; write what it has to cover, such as content-digest",
            ));
        }
        let is_told = ["url", "url_from"]
            .iter()
            .any(|name| params.contains_key(*name));
        if is_told || components.iter().any(Component::needs_url) {
            url::check_source(params)?;
        }
        match settings.label {
            Some(label) if KeyRef::from_str(label).is_err() => Err(SetupError::new(format!(
                "label: {label:?} cannot be a label; write it as it is in Signature-Input, in front of the equals sign"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether the method or the query has to be signed, whatever the endpoint says.
    #[cfg(feature = "tower")]
    pub(super) fn requires_request_line(&self) -> bool {
        let components = self.format.components.iter();
        let mut components = components.filter_map(|text| Component::parse(text));
        !self.format.is_open && components.any(|component| component.is_of_request_line())
    }

    /// The signatures that count, one of which a key has to prove.
    pub(super) fn signatures(&self, head: &SpecialHead<'_>) -> Result<HeadSignatures, Reason> {
        let settings = self.settings(head.params);
        let required: Vec<Component> = settings
            .components
            .iter()
            .filter_map(|text| Component::parse(text))
            .collect();
        let all = input::read(&head.head)?;
        let request = Request {
            head: head.head,
            url: Url::received(head)?,
        };
        let (mut counting, mut refusal) = (Vec::new(), None);
        let mut digests = None;
        let named = all
            .iter()
            .filter(|signature| settings.label.is_none_or(|label| label == signature.label));
        for signature in named {
            let checked = self.check_signature(signature, &required, &settings, head, &request);
            let checked = checked.and_then(|signed| {
                if signed.covers_body && digests.is_none() {
                    let read = Digests::read(&head.head);
                    digests = Some(read.map_err(|reason| (Stage::Values, reason))?);
                }
                Ok(signed)
            });
            match checked {
                Ok(signed) => counting.push(signed),
                Err((stage, reason)) => {
                    if refusal.as_ref().is_none_or(|(before, _)| stage > *before) {
                        refusal = Some((stage, reason));
                    }
                }
            }
        }
        if counting.len() > MAX_SIGNATURES {
            return Err(about_input(RejectionKind::TooManySignatures));
        }
        if counting.is_empty() {
            let (_, reason) = refusal.unwrap_or_else(|| {
                let reason = about_input(RejectionKind::MissingField);
                let label = settings.label.unwrap_or_default();
                (Stage::Parameters, reason.with_field(label))
            });
            return Err(reason);
        }
        Ok(HeadSignatures {
            all: counting,
            check_body: Box::new(move |body| {
                let digests = digests.as_ref();
                digests.map_or(Ok(()), |digests| digests.check(body))
            }),
        })
    }

    /// Checks everything of a signature that needs no key.
    fn check_signature(
        &self,
        signature: &Labelled,
        required: &[Component],
        settings: &Settings<'_>,
        head: &SpecialHead<'_>,
        request: &Request<'_>,
    ) -> Result<HeadSignature, (Stage, Reason)> {
        let at = |stage| move |reason| (stage, reason);
        let key_id = self.check_params(signature, settings);
        let key_id = key_id.map_err(at(Stage::Parameters))?;
        if let Some(missing) = required
            .iter()
            .find(|component| !signature.components.contains(component))
        {
            let reason = about_input(RejectionKind::MissingField);
            return Err((Stage::Components, reason.with_field(&missing.identifier())));
        }
        let time = Self::check_time(signature, head);
        let time = time.map_err(at(Stage::Time))?;
        let content = signature.base(request).map_err(at(Stage::Values))?;
        let lines = required.iter().map(|component| component.line(request));
        let lines = lines.collect::<Result<String, _>>();
        Ok(HeadSignature {
            required: lines.map_err(at(Stage::Values))?.into_bytes(),
            content,
            signature: signature.signature.clone(),
            key_id,
            covers_body: signature.components.iter().any(Component::covers_body),
            time: time.map(|seconds| UnixTime { seconds, nanos: 0 }),
        })
    }

    /// The id of the key, if the algorithm and the tag are the expected ones.
    fn check_params(
        &self,
        signature: &Labelled,
        settings: &Settings<'_>,
    ) -> Result<Option<Box<str>>, Reason> {
        // What is signed says so, and the key decides: the parameter can only cause a refusal.
        if let Some(name) = signature.text("alg")?
            && Some(name) != self.name()
        {
            return Err(about_input(RejectionKind::MalformedSignature).with_field("alg"));
        }
        let tag = signature.text("tag")?;
        if settings.tag.is_some() && tag != settings.tag {
            return Err(about_input(RejectionKind::UnexpectedClaim).with_field("tag"));
        }
        Ok(signature.text("keyid")?.map(Into::into))
    }

    /// The time of the signature, if it has one.
    fn check_time(signature: &Labelled, head: &SpecialHead<'_>) -> Result<Option<i64>, Reason> {
        let outside = |kind, field: &str, time: i64| {
            let skew = time.saturating_sub(head.now);
            Err(about_input(kind).with_field(field).with_skew(skew))
        };
        if let Some(expires) = signature.time("expires")?
            && head.now > expires
        {
            return outside(RejectionKind::TimestampTooOld, "expires", expires);
        }
        let created = signature.time("created")?;
        match (created, head.tolerance) {
            (None, Some(tolerance)) if tolerance.limits_past() => {
                Err(about_input(RejectionKind::MissingField).with_field("created"))
            }
            (Some(created), Some(tolerance)) => match tolerance.check(created, head.now) {
                Ok(()) => Ok(Some(created)),
                Err(Outside::TooOld) => outside(RejectionKind::TimestampTooOld, "created", created),
                Err(Outside::InFuture) => {
                    outside(RejectionKind::TimestampInFuture, "created", created)
                }
            },
            (created, _) => Ok(created),
        }
    }

    /// The first signature that counts, and the body, as one statement.
    pub(super) fn request(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let HeadSignatures { all, check_body } = self.signatures(head)?;
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| {
                check_body(body)?;
                let first = all.iter().take(1).cloned();
                let statements = first.map(|signature| Statement {
                    contents: vec![signature.content],
                    signatures: Some(vec![signature.signature]),
                    key_id: signature.key_id,
                    ..Statement::default()
                });
                Ok(statements.collect())
            }),
        })
    }
}

#[cold]
fn about_input(kind: RejectionKind) -> Reason {
    Reason::new(kind).about(&INPUT.into())
}
