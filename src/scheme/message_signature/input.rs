//! [`Labelled`]: one of the signatures of a request, with what it covers.

use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parameters};

use crate::{
    head::Head,
    rejection::{Reason, kind::RejectionKind},
    scheme::message_signature::{
        component::{Component, Request},
        field::{combined, dictionary, lines, member},
    },
};

pub(super) const INPUT: &str = "Signature-Input";
pub(super) const SIGNATURE: &str = "Signature";

/// More would let one request cost too much: so many labels, so many components of all of them, and
/// so long a text for each.
pub(super) const MAX_LABELS: usize = 16;
const MAX_COMPONENTS: usize = 64;
const MAX_BASE: usize = 64 * 1024;

/// One of the signatures of a request.
pub(super) struct Labelled {
    pub(super) label: String,
    pub(super) components: Vec<Component>,
    params: Parameters,
    /// The components and the parameters, serialised anew.
    inputs: String,
    pub(super) signature: Vec<u8>,
}

/// The signatures of a head, by label. Those that cannot be read are left out, unless all are.
pub(super) fn read(head: &Head<'_>) -> Result<Vec<Labelled>, Reason> {
    let inputs = members(head, INPUT)?;
    let signatures = members(head, SIGNATURE)?;
    if inputs.len() > MAX_LABELS || signatures.len() > MAX_LABELS {
        return Err(refused(RejectionKind::TooManySignatures, INPUT));
    }
    let mut components = 0_usize;
    let mut found = Vec::new();
    for (label, entry) in inputs {
        let ListEntry::InnerList(list) = entry else {
            continue;
        };
        components = components.saturating_add(list.items.len());
        if components > MAX_COMPONENTS {
            return Err(refused(RejectionKind::MalformedHeader, INPUT));
        }
        let Some(ListEntry::Item(item)) = signatures.get(label.as_str()) else {
            continue;
        };
        if let Some(signature) = item.bare_item.as_byte_sequence() {
            found.push(Labelled::new(label.as_str(), list, signature));
        }
    }
    if found.is_empty() {
        return Err(refused(RejectionKind::MalformedSignature, SIGNATURE));
    }
    // A refusal does not depend on the order of the list.
    found.sort_by(|one, other| one.label.cmp(&other.label));
    Ok(found)
}

/// The members of a field that has to be there.
fn members(head: &Head<'_>, name: &str) -> Result<Dictionary, Reason> {
    if lines(head, name).is_empty() {
        return Err(refused(RejectionKind::MissingHeader, name));
    }
    let members = combined(head, name).and_then(|value| dictionary(&value));
    members.ok_or_else(|| refused(RejectionKind::MalformedSignature, name))
}

#[cold]
fn refused(kind: RejectionKind, header: &str) -> Reason {
    Reason::new(kind).about(&header.into())
}

impl Labelled {
    pub(super) fn new(label: &str, list: InnerList, signature: &[u8]) -> Self {
        let params = list.params.clone();
        let entry = ListEntry::InnerList(list);
        let inputs = member(&entry);
        let components = match entry {
            ListEntry::InnerList(list) => list.items.into_iter().map(Component::new).collect(),
            ListEntry::Item(_) => Vec::new(),
        };
        Self {
            label: label.to_owned(),
            components,
            params,
            inputs,
            signature: signature.to_vec(),
        }
    }

    pub(super) fn into_inputs(self) -> String {
        self.inputs
    }

    /// The text of a parameter. `None` if it is missing, and an error if it is no text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Reason> {
        match self.params.get(name) {
            None => Ok(None),
            Some(BareItem::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(refused(RejectionKind::MalformedSignature, INPUT)),
        }
    }

    /// A time in seconds since 1970. `None` if it is missing, and an error if it is no integer.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Reason> {
        match self.params.get(name) {
            None => Ok(None),
            Some(BareItem::Integer(seconds)) => Ok(Some(i64::from(*seconds))),
            Some(_) => Err(refused(RejectionKind::MalformedTimestamp, INPUT)),
        }
    }

    /// What is signed ([section 2.5](https://www.rfc-editor.org/rfc/rfc9421#section-2.5)).
    pub(super) fn base(&self, request: &Request<'_>) -> Result<Vec<u8>, Reason> {
        // A value may be a small part of a long text, which is read for each.
        let (mut base, mut read) = (String::new(), 0_usize);
        for (place, component) in self.components.iter().enumerate() {
            let mut before = self.components.iter().take(place);
            if before.any(|other| other == component) {
                return Err(component.refused(RejectionKind::RepeatedField));
            }
            read = read.saturating_add(component.parsed_length(request));
            if read > MAX_BASE {
                return Err(refused(RejectionKind::MalformedHeader, INPUT));
            }
            base.push_str(&component.line(request)?);
            if base.len() > MAX_BASE {
                return Err(refused(RejectionKind::MalformedHeader, INPUT));
            }
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(&self.inputs);
        Ok(base.into_bytes())
    }
}
