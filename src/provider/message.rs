//! [`Message`]: what a provider puts into an envelope.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::json;

/// Where the message is in a body that is an envelope of the provider. The names are those of
/// members of a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The payload of a JSON Web Signature, which also says what the event is.
    Jws(&'static str),
    /// The text of a member.
    Text(&'static str),
}

impl Message {
    /// The bytes of the message.
    pub(crate) fn read(self, body: &[u8]) -> Option<Vec<u8>> {
        let (Self::Jws(name) | Self::Text(name)) = self;
        let pointer = format!("/{name}");
        let [Some(member)] = *json::unique(body, &[Some(&pointer)]) else {
            return None;
        };
        let text = json::string(member)?;
        match self {
            Self::Text(_) => Some(text.into_owned().into_bytes()),
            Self::Jws(_) => {
                let payload = text.split('.').nth(1)?;
                URL_SAFE_NO_PAD.decode(payload).ok()
            }
        }
    }
}
