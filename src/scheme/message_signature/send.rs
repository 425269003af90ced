//! Signs a request.

use base64::{Engine, engine::general_purpose::STANDARD};
use sfv::{BareItem, InnerList, Integer, Key, Parameters};

use crate::scheme::{
    message_signature::{MessageSignature, component::Component, digest::Digests, input::Labelled},
    special::Draft,
};

/// The label in the examples of the standard.
const LABEL: &str = "sig1";
/// The parameters that are times.
const TIMES: [&str; 2] = ["created", "expires"];

impl MessageSignature {
    /// Adds a signature of what the settings require, and the digest of the body if that is a part
    /// of it.
    pub(super) fn add_signature(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let settings = self.settings(draft.params);
        let label = match settings.label {
            Some(label) => label.to_owned(),
            None if self.format.numbers_labels => format!("sig_{}", draft.now),
            None => LABEL.to_owned(),
        };
        let texts = settings.components.iter();
        let components: Vec<_> = texts.filter_map(|text| Component::parse(text)).collect();
        if components.iter().any(Component::is_digest) {
            draft.provide("content-digest", &Digests::value(&draft.body))?;
        }
        let mut params = Parameters::new();
        let mut set = |name: &str, value: &str| {
            let key = Key::from_string(name.to_owned());
            let key = key.map_err(|_| format!("{name} cannot be the name of a parameter"))?;
            let wrong = || format!("the parameter {name} cannot have its value");
            let value = if TIMES.contains(&name) {
                let seconds: i64 = value.parse().map_err(|_| wrong())?;
                BareItem::Integer(Integer::try_from(seconds).map_err(|_| wrong())?)
            } else {
                BareItem::String(sfv::String::from_string(value.to_owned()).map_err(|_| wrong())?)
            };
            params.insert(key, value);
            Ok::<_, String>(())
        };
        set("created", &draft.now.to_string())?;
        let named = [
            ("alg", self.name()),
            ("keyid", draft.key_id),
            ("tag", settings.tag),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                set(name, value)?;
            }
        }
        for (name, value) in draft.fields {
            set(name, value)?;
        }
        let items = components.into_iter().map(Component::into_item);
        let list = InnerList::with_params(items.collect(), params);
        let inputs = Labelled::new(&label, list, &[]).into_inputs();
        draft.set("signature-input", &format!("{label}={inputs}"))?;
        // The receiver's checks read what is signed, from a request with a placeholder.
        draft.set("signature", &format!("{label}=:AA==:"))?;
        let content = draft.content(self)?;
        let signature = STANDARD.encode((draft.key)(&content)?);
        draft.set("signature", &format!("{label}=:{signature}:"))
    }
}
