//! The table `jwt` of a custom provider.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    config::value::Scalar,
    error::SetupError,
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        jwt::{self, JwtFormat},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JwtConfig {
    header: Option<String>,
    /// Whether the token is the body.
    #[serde(default)]
    body: bool,
    prefix: Option<String>,
    algorithms: Vec<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    #[serde(default)]
    required: Vec<String>,
    body_hash: Option<HashConfig>,
    url_hash: Option<HashConfig>,
    url_claim: Option<String>,
    body_claim: Option<String>,
    max_age: Option<Scalar>,
    leeway: Option<Scalar>,
    #[serde(default)]
    detached: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashConfig {
    claim: String,
    encoding: String,
}

impl JwtConfig {
    /// The scheme of each algorithm.
    pub(super) fn schemes(&self) -> Result<Vec<Scheme>, SetupError> {
        let format = self.format()?;
        if self.algorithms.is_empty() {
            return Err(SetupError::new(
                "algorithms: it is empty; write those that the provider uses, such as [\"ES256\"]",
            ));
        }
        let schemes = self.algorithms.iter().map(|name| {
            let algorithm: Algorithm = jwt::algorithm(name).ok_or_else(|| {
                let known: Vec<_> = jwt::algorithms().collect();
                SetupError::new(format!(
                    "algorithms: {name:?} is not one of {}",
                    known.join(", ")
                ))
            })?;
            Ok(Scheme::jwt(algorithm, format.clone()))
        });
        schemes.collect()
    }

    fn format(&self) -> Result<JwtFormat, SetupError> {
        let mut format = match (&self.header, self.body) {
            (Some(header), false) => JwtFormat::header(header.clone()),
            (None, true) => JwtFormat::body(),
            _ => {
                return Err(SetupError::new(
                    "header: the token is in a header, or it is the body; write header = \"NAME\", or body = true",
                ));
            }
        };
        if let Some(prefix) = &self.prefix {
            format = format.with_prefix(prefix.clone());
        }
        for (claim, value) in &self.claims {
            // As elsewhere in a description, a parameter of the endpoint is in braces.
            let param = value.strip_prefix("{param:");
            format = match param.and_then(|rest| rest.strip_suffix('}')) {
                Some(param) => format.with_param_claim(claim.clone(), param.to_owned()),
                None if value == "true" => format.with_true_claim(claim.clone()),
                None => format.with_claim(claim.clone(), value.clone()),
            };
        }
        for claim in &self.required {
            format = format.with_required_claim(claim.clone());
        }
        if let Some(hash) = &self.body_hash {
            format = format.with_body_hash(hash.claim.clone(), hash.encoding("body_hash")?);
        }
        if let Some(hash) = &self.url_hash {
            format = format.with_url_hash(hash.claim.clone(), hash.encoding("url_hash")?);
        }
        if let Some(claim) = &self.url_claim {
            format = format.with_url_claim(claim.clone());
        }
        if let Some(claim) = &self.body_claim {
            format = format.with_body_claim(claim.clone());
        }
        if let Some(age) = &self.max_age {
            format = format.with_max_age(age.duration("max_age")?);
        }
        if let Some(leeway) = &self.leeway {
            format = format.with_leeway(leeway.duration("leeway")?);
        }
        Ok(if self.detached {
            format.detached()
        } else {
            format
        })
    }
}

impl HashConfig {
    fn encoding(&self, key: &str) -> Result<Encoding, SetupError> {
        match self.encoding.parse() {
            Ok(encoding @ (Encoding::Hex | Encoding::Base64 | Encoding::Base64Url)) => Ok(encoding),
            _ => Err(SetupError::new(format!(
                "{key}: the encoding is \"hex\", \"base64\" or \"base64url\""
            ))),
        }
    }
}
