//! Decoding of a secret into the bytes of a key.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    crypto::encoding::{decode_base64_secret, decode_hex},
    error::SetupError,
    scheme::secret_format::{Derivation, SecretFormat, TextEncoding},
};

/// A secret with fewer bytes is logged as weak.
const SHORT: usize = 16;

/// The key, and whether the secret is weak because it is short.
pub(crate) fn decode(
    format: &SecretFormat,
    secret: &str,
) -> Result<(Zeroizing<Vec<u8>>, bool), SetupError> {
    if secret.is_empty() {
        return Err(SetupError::new(
            "it is empty; set it to the value the provider shows",
        ));
    }
    if secret.trim().is_empty() {
        return Err(SetupError::new(
            "it is blank; set it to the value the provider shows",
        ));
    }
    if secret.trim() != secret {
        return Err(SetupError::new(
            "it begins or ends with white space; remove it",
        ));
    }
    if secret.starts_with('\u{feff}') {
        return Err(SetupError::new(
            "it begins with a byte order mark; save it without one",
        ));
    }
    let text = format.strip(secret);
    let bytes = match format.encoding {
        TextEncoding::Text => Some(text.as_bytes().to_vec()),
        TextEncoding::Base64 if text == secret && is_tagged(text) => {
            return Err(SetupError::new(
                "it begins with a word and \"_\", as other keys do; copy the signing secret, or add the \
                 prefix to the secret format, or write \"/\" for \"_\" and \"+\" for \"-\" if it is URL-safe \
                 base64",
            ));
        }
        TextEncoding::Base64 => decode_base64_secret(text),
        TextEncoding::Hex => decode_hex(text),
    };
    let Some(bytes) = bytes.map(Zeroizing::new) else {
        if text.contains('|') {
            return Err(SetupError::new(
                "it is several secrets, joined by \"|\"; set each one as a secret of its own",
            ));
        }
        return Err(SetupError::new(format!(
            "it is not {format}; copy it again from the provider"
        )));
    };
    if bytes.len() < format.min_bytes {
        return Err(SetupError::new(format!(
            "it has {} bytes once decoded, and {} is the least; copy the whole secret",
            bytes.len(),
            format.min_bytes
        )));
    }
    let short = bytes.len() < SHORT;
    let key = match format.derive {
        None => bytes,
        Some(Derivation::Sha1) => Zeroizing::new(Sha1::digest(&*bytes).to_vec()),
        Some(Derivation::Sha256) => Zeroizing::new(Sha256::digest(&*bytes).to_vec()),
        Some(Derivation::Nfkd) => nfkd(bytes)?,
    };
    Ok((key, short))
}

/// The key in Unicode's compatibility decomposition, if it is text.
#[cfg(feature = "nfkd")]
fn nfkd(key: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, SetupError> {
    use unicode_normalization::UnicodeNormalization;

    let Ok(text) = std::str::from_utf8(&key) else {
        return Ok(key);
    };
    // A buffer that grows would leave copies behind.
    let length = text.nfkd().map(char::len_utf8).sum();
    let mut decomposed = Zeroizing::new(String::with_capacity(length));
    decomposed.extend(text.nfkd());
    Ok(Zeroizing::new(
        std::mem::take(&mut *decomposed).into_bytes(),
    ))
}

#[cfg(not(feature = "nfkd"))]
fn nfkd(key: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, SetupError> {
    if key.is_ascii() {
        return Ok(key);
    }
    Err(SetupError::new(
        "the provider normalises characters beyond ASCII, which needs the feature \"nfkd\" of tower-webhook; add it to \
         Cargo.toml, or use a secret of ASCII letters",
    ))
}

/// Whether the text would be URL-safe base64, but begins like `sk_` or `whsec_`. Decoded, an API
/// key would be a wrong secret, and only the first request would tell.
fn is_tagged(text: &str) -> bool {
    let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
    text.split_once('_')
        .is_some_and(|(tag, _)| tag.len() > 1 && tag.bytes().all(|byte| byte.is_ascii_lowercase()))
        && text.bytes().all(is_url_safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::secret_format::Derivation;

    fn key(format: &SecretFormat, secret: &str) -> Vec<u8> {
        decode(format, secret).unwrap().0.to_vec()
    }

    fn error(format: &SecretFormat, secret: &str) -> String {
        decode(format, secret).unwrap_err().to_string()
    }

    #[test]
    fn the_same_look_means_what_the_format_says() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(key(&SecretFormat::text(), secret), secret.as_bytes());
        let svix = SecretFormat::base64().with_prefix("whsec_");
        assert_eq!(key(&svix, secret).len(), 24);
        assert_eq!(key(&svix, &secret[6..]).len(), 24);
        assert_eq!(key(&SecretFormat::hex(), &"0F".repeat(16)), [15; 16]);
    }

    #[test]
    fn a_key_may_be_a_hash_of_the_secret() {
        let sha1 = SecretFormat::text().with_derivation(Derivation::Sha1);
        assert_eq!(key(&sha1, "abc")[..4], [0xa9, 0x99, 0x3e, 0x36]);
        let sha256 = SecretFormat::text().with_derivation(Derivation::Sha256);
        assert_eq!(key(&sha256, "abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[test]
    fn a_secret_beyond_ascii_is_normalised_or_refused() {
        let format = SecretFormat::text().with_derivation(Derivation::Nfkd);
        assert_eq!(key(&format, "plain"), b"plain");
        let decoded = decode(&format, "s\u{fc}per\u{2460}");
        if cfg!(feature = "nfkd") {
            assert_eq!(*decoded.unwrap().0, "su\u{308}per1".as_bytes());
        } else {
            let error = decoded.unwrap_err().to_string();
            assert!(error.contains("the feature \"nfkd\""), "{error}");
        }
    }

    #[test]
    fn bad_secrets_are_refused_without_being_shown() {
        let svix = SecretFormat::base64().with_prefix("whsec_");
        let text = SecretFormat::text();
        assert_eq!(
            error(&text, ""),
            "it is empty; set it to the value the provider shows"
        );
        assert_eq!(
            error(&text, " \t"),
            "it is blank; set it to the value the provider shows"
        );
        assert_eq!(
            error(&text, "key-key-key-key-key "),
            "it begins or ends with white space; remove it"
        );
        assert_eq!(
            error(&text, "\u{feff}key-key-key-key-key"),
            "it begins with a byte order mark; save it without one"
        );
        assert_eq!(
            error(&svix, "whsec_not*base64"),
            "it is not base64 after \"whsec_\"; copy it again from the provider"
        );
        assert_eq!(
            error(&svix, "whsec_AAAA"),
            "it has 3 bytes once decoded, and 16 is the least; copy the whole secret"
        );
        let several =
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw|whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let hex = SecretFormat::hex();
        for (format, secret) in [
            (&svix, several),
            (&svix, "whsec_|"),
            (
                &hex,
                "00112233445566778899aabbccddeeff|00112233445566778899aabbccddeeff",
            ),
        ] {
            assert_eq!(
                error(format, secret),
                "it is several secrets, joined by \"|\"; set each one as a secret of its own"
            );
        }
        assert_eq!(key(&text, several), several.as_bytes());
        assert!(error(&svix, "whsec_").contains("0 bytes"));
        assert!(error(&SecretFormat::hex(), "0g").contains("it is not hex"));
        assert!(error(&text.with_min_bytes(20), "short").contains("20 is the least"));
    }

    #[test]
    fn one_of_several_prefixes_is_removed() {
        let bare = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let format = SecretFormat::base64()
            .with_prefix("dropped_")
            .with_prefix("whsec_")
            .or_prefix("v1,whsec_");
        let expected = key(&format, bare);
        assert_eq!(expected.len(), 24);
        for prefix in ["whsec_", "v1,whsec_"] {
            assert_eq!(key(&format, &format!("{prefix}{bare}")), expected);
        }
        for prefix in ["v1,", "v2,whsec_", "v1,v1,whsec_", "whsec_v1,whsec_"] {
            assert_eq!(
                error(&format, &format!("{prefix}{bare}")),
                "it is not base64 after \"whsec_\" or \"v1,whsec_\"; copy it again from the provider"
            );
        }
        // The longest, in either order; the text behind it is left alone.
        let text = |first: &'static str, second: &'static str| {
            SecretFormat::text().with_prefix(first).or_prefix(second)
        };
        assert_eq!(key(&text("k-", "k-2-"), "k-2-k-3"), b"k-3");
        assert_eq!(key(&text("k-2-", "k-"), "k-2-k-3"), b"k-3");
        assert_eq!(key(&text("k-2-", "k-"), "k-3"), b"3");
        assert_eq!(key(&text("", "k-"), "key"), b"key");
    }

    #[test]
    fn url_safe_base64_is_read_where_it_is_not_another_key() {
        let standard = "++//MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let url_safe = "--__MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let format = SecretFormat::base64().with_prefix("whsec_");
        let expected = key(&format, standard);
        assert_eq!(key(&format, url_safe), expected);
        assert_eq!(key(&format, &format!("whsec_{url_safe}")), expected);
        // Behind a prefix it cannot be another kind of key.
        let word = "whsec_word_fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(
            key(&format, word),
            key(&format, &word.replacen("_f", "/f", 1))
        );
        let mixed = "whsec_-/__MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert!(error(&format, mixed).contains("it is not base64"));
        for key in [
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "re_4eC39HqLyjWDarjtT1zdp7dc",
        ] {
            assert!(error(&format, key).starts_with("it begins with a word and \"_\""));
        }
        let bare = SecretFormat::base64();
        let tagged = error(&bare, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert!(
            tagged.contains("add the prefix to the secret format"),
            "{tagged}"
        );
        assert_eq!(key(&bare, "a_AAMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").len(), 27);
    }

    #[test]
    fn a_short_secret_is_worth_a_warning() {
        assert!(decode(&SecretFormat::text(), "fifteen-letters").unwrap().1);
        assert!(!decode(&SecretFormat::text(), "sixteen--letters").unwrap().1);
        let short = SecretFormat::base64().with_min_bytes(1);
        assert!(decode(&short, "c2VjcmV0Cg==").unwrap().1);
        assert!(!decode(&SecretFormat::hex(), &"0f".repeat(16)).unwrap().1);
    }
}
