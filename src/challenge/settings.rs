//! [`Settings`]: what an endpoint knows for the handshakes of its provider.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    challenge::{Handshake, registration},
    crypto::tag::Tag,
    error::SetupError,
    keys::secret::Secret,
};

/// No setting is longer.
const LONGEST: usize = 1024;

/// The settings of an endpoint, by name. None of them is ever shown.
#[derive(Clone, Default)]
pub(crate) struct Settings(BTreeMap<Cow<'static, str>, Vec<(Secret, Tag)>>);

impl Settings {
    pub(crate) fn set(&mut self, name: Cow<'static, str>, values: Vec<Secret>) {
        let tagged = values.into_iter().map(|value| {
            let tag = Tag::of_token(value.text().as_bytes());
            (value, tag)
        });
        self.0.insert(name, tagged.collect());
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The first value of a setting.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        Some(self.0.get(name)?.first()?.0.text())
    }

    /// Whether `text` is one of the values of a setting, in a time that depends on neither.
    pub(crate) fn allow(&self, name: &str, text: &str) -> bool {
        let tag = Tag::of_token(text.as_bytes());
        let values = self.0.get(name).into_iter().flatten();
        values.fold(false, |found, (_, value)| found | value.matches(&tag))
    }

    /// Checks that `handshake` knows the settings, and that they can be sent.
    pub(crate) fn check(
        &self,
        handshake: Option<&Handshake>,
        provider: &str,
    ) -> Result<(), SetupError> {
        let known = handshake.map(Handshake::settings).unwrap_or_default();
        for (name, values) in &self.0 {
            let refused = |text: &str| Err(SetupError::new(format!("{name}: {text}")));
            if !known.contains(&&**name) {
                let problem = format!("provider {provider} has no such setting; remove it");
                return refused(&problem);
            }
            if values.is_empty() {
                return refused("the list is empty; write a value, or remove the setting");
            }
            for (value, _) in values {
                let text = value.text();
                if text.trim().is_empty() {
                    return refused("it is empty; set it to the value that the provider knows");
                }
                if text.len() > LONGEST {
                    return refused(
                        "it is longer than 1024 bytes; set it to the value that the provider knows",
                    );
                }
                let is_sent = handshake.is_some_and(|handshake| handshake.sends(name));
                let is_fit = |letter: char| match is_sent {
                    true => matches!(letter, ' '..='~'),
                    false => !letter.is_control(),
                };
                if !text.chars().all(is_fit) || text.trim() != text {
                    return refused(
                        "it has characters that cannot be sent, or white space around it; copy it again from the provider",
                    );
                }
                if name == registration::SETTING && !matches!(text, "open" | "closed") {
                    return refused("expected \"open\" or \"closed\"");
                }
            }
        }
        Ok(())
    }
}
