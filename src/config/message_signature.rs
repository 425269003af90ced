//! The table `message_signature` of a custom provider.

use serde::Deserialize;

use crate::{
    config::value::Scalar,
    error::SetupError,
    scheme::{
        definition::Scheme,
        message_signature::{self, MessageSignatureFormat},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageSignatureConfig {
    algorithms: Vec<String>,
    components: Option<Vec<String>>,
    label: Option<String>,
    tag: Option<String>,
    tolerance: Option<Scalar>,
}

impl MessageSignatureConfig {
    /// The scheme of each algorithm, by the name that the standard has for it.
    pub(super) fn schemes(&self) -> Result<Vec<(String, Scheme)>, SetupError> {
        let format = self.format()?;
        if self.algorithms.is_empty() {
            return Err(SetupError::new(
                "algorithms: it is empty; write those that the provider uses, such as [\"ed25519\"]",
            ));
        }
        let schemes = self.algorithms.iter().map(|name| {
            let mut known = message_signature::algorithms();
            let Some((_, algorithm)) = known.find(|(known, _)| known == name) else {
                let known = message_signature::algorithms().map(|(name, _)| name);
                return Err(SetupError::new(format!(
                    "algorithms: {name:?} is not one of {}",
                    known.collect::<Vec<_>>().join(", ")
                )));
            };
            let scheme = Scheme::http_message_signature(algorithm, format.clone());
            Ok((name.clone(), scheme))
        });
        schemes.collect()
    }

    fn format(&self) -> Result<MessageSignatureFormat, SetupError> {
        let mut format = MessageSignatureFormat::new();
        if let Some(components) = &self.components {
            format = format.with_components(components.iter().cloned());
        }
        if let Some(label) = &self.label {
            format = format.with_label(label.clone());
        }
        if let Some(tag) = &self.tag {
            format = format.with_tag(tag.clone());
        }
        if let Some(tolerance) = &self.tolerance {
            format = format.with_tolerance(tolerance.tolerance("tolerance")?);
        }
        Ok(format)
    }
}
