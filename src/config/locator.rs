//! The keys that say where a value of a request is.

use crate::{error::SetupError, scheme::locator::Locator};

/// The keys of one value. `form` and `json` together are JSON in a form field.
#[derive(Clone, Copy, Default)]
pub(super) struct LocatorKeys<'c> {
    pub(super) header: Option<&'c str>,
    pub(super) headers: Option<&'c [String]>,
    pub(super) field: Option<&'c str>,
    pub(super) query: Option<&'c str>,
    pub(super) json: Option<&'c str>,
    pub(super) form: Option<&'c str>,
}

impl LocatorKeys<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.given().is_empty()
    }

    /// The keys that are there.
    fn given(&self) -> Vec<&'static str> {
        let keys = [
            ("header", self.header.is_some()),
            ("headers", self.headers.is_some()),
            ("field", self.field.is_some()),
            ("query", self.query.is_some()),
            ("json", self.json.is_some()),
            ("form", self.form.is_some()),
        ];
        let given = keys.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(key, _)| key).collect()
    }

    /// The first place, and the others if it is one of several headers. `allowed` are the keys for
    /// the message.
    pub(super) fn locators(&self, allowed: &str) -> Result<(Locator, Vec<Locator>), SetupError> {
        match (&*self.given(), self.headers) {
            (["headers"], Some([])) => {
                Err(SetupError::new("headers is empty; add at least one name"))
            }
            (["headers"], Some([first, others @ ..])) => {
                let others = others.iter().cloned().map(Locator::header);
                Ok((Locator::header(first.clone()), others.collect()))
            }
            _ => self.locator(allowed).map(|locator| (locator, Vec::new())),
        }
    }

    /// The only place.
    pub(super) fn locator(&self, allowed: &str) -> Result<Locator, SetupError> {
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        match &*self.given() {
            ["header"] => Ok(Locator::header(owned(self.header))),
            ["field"] => Ok(Locator::field(owned(self.field))),
            ["query"] => Ok(Locator::query(owned(self.query))),
            ["json"] => Ok(Locator::json(owned(self.json))),
            ["form"] => Ok(Locator::form(owned(self.form))),
            ["json", "form"] => Ok(Locator::form_json(owned(self.form), owned(self.json))),
            [] => Err(SetupError::new(format!(
                "the location is missing; add one of {allowed}"
            ))),
            given => Err(SetupError::new(format!(
                "{} are mutually exclusive; keep one of {allowed}",
                given.join(" and ")
            ))),
        }
    }
}
