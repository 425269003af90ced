//! The parameters of a provider, by name.

use std::{borrow::Cow, collections::BTreeMap};

use crate::error::SetupError;

/// The parameters of a provider, by name.
pub(crate) type Params = BTreeMap<Cow<'static, str>, Cow<'static, str>>;

/// A parameter that the scheme requires.
pub(crate) fn parameter<'p>(params: &'p Params, name: &str) -> Result<&'p str, SetupError> {
    match params.get(name) {
        Some(value) if !value.is_empty() => Ok(value),
        _ if name == "url" => Err(SetupError::new(
            "url: the scheme signs the URL; set it to the one that is registered with the provider",
        )),
        _ => Err(SetupError::new(format!(
            "params.{name}: the scheme needs it; set it to the value the provider shows"
        ))),
    }
}
