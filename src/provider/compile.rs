//! A provider is validated as a whole, and its schemes are compiled.

use std::borrow::Cow;

use crate::{
    challenge::Handshake,
    compiled::{
        body::BodyTable,
        header_table::HeaderTable,
        rules::Metadata,
        scheme::{Compiled, CompiledScheme},
    },
    error::{SetupError, shown},
    provider::{
        Provider,
        parameter::{LEVEL, SUBJECT, TEST},
    },
    scheme::{
        algorithm::Keying,
        definition::{Coverage, Scheme},
        locator::Locator,
    },
};

impl Provider {
    /// Validates the provider and compiles its schemes.
    pub(crate) fn compile(&self) -> Result<Compiled, SetupError> {
        self.check_params()?;
        self.check_variants()?;
        self.settings.check(self.handshake, &self.name)?;
        if let Some(status) = self.success_status.filter(|status| !status.is_success()) {
            return Err(SetupError::new(format!(
                "success_status: {} is not a success status; set one from 200 to 299",
                status.as_u16()
            )));
        }
        if self.retry_horizon.is_zero() {
            return Err(SetupError::new(
                "retry_horizon: it is zero, so no delivery would be remembered; set how long the provider retries",
            ));
        }
        for (source, key) in [
            (&self.event_type, "event_type"),
            (&self.delivery_id, "delivery_id"),
        ] {
            let checked = source.as_ref().map_or(Ok(()), Locator::check_metadata);
            checked.map_err(|error| error.within(key))?;
        }
        let header = |locator: &Option<Locator>| locator.as_ref().and_then(Locator::as_header);
        let metadata = Metadata {
            event_type: header(&self.event_type),
            delivery_id: header(&self.delivery_id),
            content_type: Some("content-type".into()),
            content_encoding: Some("content-encoding".into()),
        };
        let (mut headers, mut body) = (HeaderTable::new(), BodyTable::default());
        let header_of_param = self
            .header_of_param
            .filter(|(_, param)| self.params.contains_key(*param));
        let schemes = self.tried().map(|variant| {
            let mut scheme = Cow::Borrowed(&variant.scheme);
            if let Some((header, param)) = header_of_param {
                let value = format!("{{param:{param}}}");
                scheme = Cow::Owned(scheme.into_owned().with_required_header(header, value));
            }
            let tables = (&mut headers, &mut body);
            CompiledScheme::new(
                variant.name.clone(),
                &scheme,
                &self.params,
                &metadata,
                tables,
            )
        });
        let mut schemes = schemes.collect::<Result<Vec<_>, _>>()?;
        if self.handshake.is_some_and(Handshake::has_macs) {
            for scheme in &mut schemes {
                scheme.answers = true;
            }
        }
        if let Some((place, mark)) = &self.repeated_time {
            for scheme in &mut schemes {
                scheme.repeat_time_at(place, mark, &mut body);
            }
        }
        self.check_coverage(&schemes)?;
        Ok(Compiled {
            schemes,
            headers,
            body,
        })
    }

    fn check_params(&self) -> Result<(), SetupError> {
        self.check_levels()?;
        for (name, value) in &self.params {
            let option = self.options.iter().find(|option| option.name == *name);
            if let Some(option) = option
                && !option.values.is_empty()
                && !option.values.contains(&&**value)
            {
                return Err(SetupError::new(format!(
                    "{name}: {} is not one of {}",
                    shown(value),
                    option.values.join(", ")
                )));
            }
            if let Some((selector, variants)) = self.selector
                && selector == name
            {
                if variants.iter().any(|(known, _)| known == value) {
                    continue;
                }
                let known: Vec<_> = variants.iter().map(|(known, _)| *known).collect();
                return Err(SetupError::new(format!(
                    "{name}: {} is not one of {}",
                    shown(value),
                    known.join(", ")
                )));
            }
            if *name == SUBJECT && self.declares(SUBJECT) {
                let pointer = Locator::json(value.clone()).check_metadata();
                pointer.map_err(|error| error.within(SUBJECT))?;
            }
            let used = || {
                self.header_of_param.is_some_and(|(_, param)| param == name)
                    || self
                        .schemes()
                        .any(|scheme| scheme.param_names().iter().any(|used| used == name))
            };
            if option.is_none() && !used() {
                return Err(SetupError::new(format!("{name}: {}", self.lacks(name))));
            }
        }
        Ok(())
    }

    fn check_levels(&self) -> Result<(), SetupError> {
        if !self.levels.is_empty() && !self.declares(LEVEL) {
            return Err(SetupError::new(format!("{LEVEL}: {}", self.lacks(LEVEL))));
        }
        if self.declares(LEVEL) && self.levels().any(str::is_empty) {
            return Err(SetupError::new(format!(
                "{LEVEL}: it is empty, so no verification would be enough; name the levels that are, or remove it"
            )));
        }
        Ok(())
    }

    /// Says that the provider has no such parameter, and why.
    pub(crate) fn lacks(&self, param: &str) -> String {
        let why = match param {
            LEVEL => ", because its signed events do not say at which level somebody was verified",
            TEST => ", because its signed events do not say whether they are tests",
            _ => "",
        };
        format!(
            "provider {} has no such parameter{why}; remove it",
            self.name
        )
    }

    /// Variants that are tried together must not be confusable: with the same algorithm and key, a
    /// signature for the content of one could be replayed as a signature for another.
    fn check_variants(&self) -> Result<(), SetupError> {
        let schemes: Vec<&Scheme> = self.schemes().collect();
        for (index, scheme) in schemes.iter().enumerate() {
            let algorithm = scheme.algorithm();
            let others = || schemes.iter().skip(index.saturating_add(1));
            if others().any(|other| other.algorithm() == algorithm) {
                return Err(SetupError::new(format!(
                    "variant: two variants that are tried together use {algorithm}, so a signature for one could be valid for the other; select one by name"
                )));
            }
            if schemes.len() > 1 && algorithm.keying() == Keying::None {
                return Err(SetupError::new(format!(
                    "variant: anybody can compute {algorithm}, so other variants prove nothing if it is tried with them; select one by name"
                )));
            }
        }
        Ok(())
    }

    /// Refuses a body that is not signed as a whole, unless that was accepted.
    fn check_coverage(&self, schemes: &[CompiledScheme]) -> Result<(), SetupError> {
        let uncovered = schemes
            .iter()
            .find(|scheme| scheme.coverage != Coverage::Body);
        match uncovered {
            Some(scheme) if self.accepts_unsigned_body == Some(false) => {
                let forged = match (scheme.coverage, scheme.algorithm.keying()) {
                    (Coverage::Partial, _) => {
                        "signs only parts of the body, so whoever has seen one request can send it again with the rest \
                         changed"
                    }
                    (_, Keying::Token) => {
                        "signs nothing and sends a token, so whoever has seen one request can send any other"
                    }
                    _ => {
                        "does not sign the body, so whoever has seen one request can send it again with any other body"
                    }
                };
                Err(SetupError::new(format!(
                    "accept_unsigned_body: provider {} (variant {}) {forged}; set it to true if that is acceptable, and ask the \
                     provider's API for what matters",
                    self.name, scheme.name
                )))
            }
            None if self.accepts_unsigned_body == Some(true) => Err(SetupError::new(format!(
                "accept_unsigned_body: provider {} signs the whole body; remove it",
                self.name
            ))),
            _ => Ok(()),
        }
    }

    /// Checks everything except the parameters, which an endpoint sets.
    #[cfg(feature = "config")]
    pub(crate) fn check_scheme(&self) -> Result<(), SetupError> {
        let mut provider = self.clone().with_any_coverage();
        for name in self.schemes().flat_map(Scheme::param_names) {
            let value = match &*name {
                "url" => "https://example.com/",
                // It may be missing.
                "url_from" => continue,
                _ => "any",
            };
            provider = provider.with_param(name, value);
        }
        provider.compile().map(drop)
    }
}
