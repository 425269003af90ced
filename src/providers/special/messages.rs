//! Providers that send HTTP message signatures.

use crate::{
    provider::Provider,
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        locator::Locator,
        message_signature::{self, MessageSignatureFormat},
        secret_format::SecretFormat,
    },
};

/// The standard, for any sender.
pub(super) fn rfc9421() -> Provider {
    // The padding of PKCS #1 v1.5 is only for senders that have no other: with an RSA key, both
    // would be tried.
    const OPT_IN: Algorithm = Algorithm::RsaPkcs1Sha256;
    let scheme = |algorithm| {
        let format = MessageSignatureFormat::new().open();
        Scheme::http_message_signature(algorithm, format).with_secret_format(SecretFormat::base64())
    };
    let first = Algorithm::HmacSha256;
    message_signature::algorithms()
        .filter(|(_, algorithm)| *algorithm != first && algorithm.check_supported().is_ok())
        .fold(
            Provider::new("rfc9421", scheme(first)),
            |provider, (name, algorithm)| match algorithm {
                OPT_IN => provider.with_opt_in_variant(name, scheme(algorithm)),
                _ => provider.with_variant(name, scheme(algorithm)),
            },
        )
        .with_docs("https://www.rfc-editor.org/rfc/rfc9421")
}

pub(super) fn mailchannels() -> Provider {
    let format = MessageSignatureFormat::new().with_numbered_labels();
    Provider::new(
        "mailchannels",
        Scheme::http_message_signature(Algorithm::Ed25519, format),
    )
    .with_docs("https://docs.mailchannels.net/email-api/advanced/delivery-events/#verifying-message-signatures")
    .with_event_type(Locator::json("/0/event"))
}
