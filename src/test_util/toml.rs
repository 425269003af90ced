//! The endpoint of a sender, as a configuration file has it.

use std::fmt::Write as _;

use crate::{error::SetupError, providers, test_util::sender::TestSender};

impl TestSender {
    /// An endpoint of this name for a [`Config`](crate::Config), with the key and the parameters.
    ///
    /// ```
    /// use http::Request;
    /// use tower_webhook::{Config, test_util::TestSender, verify::Head};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sender = TestSender::new("veriff")?;
    /// let config = Config::from_toml_str(&sender.to_toml("kyc")?)?;
    /// let (head, body) = sender.signed(Request::post("/"), sender.body()?)?.into_parts();
    /// let now = std::time::SystemTime::now();
    /// assert!(config.endpoint("kyc")?.verify(&Head::from(&head), body, now).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the provider is not a built-in one. Its scheme is in your configuration: take the
    /// provider from there, with [`Config::endpoint`](crate::Config::endpoint).
    pub fn to_toml(&self, endpoint: &str) -> Result<String, SetupError> {
        let provider = self.provider();
        if providers::by_name(provider.name()).is_none() {
            return Err(SetupError::new(
                "the provider is not a built-in one; make the sender of the provider in your configuration",
            ));
        }
        let kind = match self.is_public() {
            true => "public_key",
            false => "secret",
        };
        let mut file = format!(
            "[endpoints.{}]\nprovider = {}\n{kind} = {}\n",
            text(endpoint),
            text(provider.name()),
            match self.key_id() {
                Some(id) => format!(
                    "{{ value = {}, id = {} }}",
                    text(self.secret_text()),
                    text(id)
                ),
                None => text(self.secret_text()),
            },
        );
        if let Some(variant) = provider.selected_variant() {
            write(&mut file, "variant", &text(variant));
        }
        if provider.accepts_unsigned_body() {
            write(&mut file, "accept_unsigned_body", "true");
        }
        let mut params = provider.endpoint_params();
        params.sort_unstable();
        let params = params.iter().map(|(name, values)| {
            let values: Vec<String> = values.iter().map(|value| text(value)).collect();
            match &*values {
                [one] => format!("{} = {one}", text(name)),
                several => format!("{} = [{}]", text(name), several.join(", ")),
            }
        });
        let params: Vec<String> = params.collect();
        if !params.is_empty() {
            write(&mut file, "params", &format!("{{ {} }}", params.join(", ")));
        }
        Ok(file)
    }
}

fn write(file: &mut String, key: &str, value: &str) {
    let written = writeln!(file, "{key} = {value}");
    debug_assert!(written.is_ok(), "a String takes every text");
}

/// A basic string. Those of JSON are some.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
