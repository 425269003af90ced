//! What the text of a key looks like, without decoding it.

/// Whether the text looks like a public key or a certificate.
pub(crate) fn looks_like_public_key(text: &str) -> bool {
    let text = text.trim_start();
    let is_der = |head: &str| {
        // SubjectPublicKeyInfo of Ed25519, of P-256 and of RSA with 1024 bits.
        head.starts_with("MCowBQYDK2VwAyEA")
            || head.starts_with("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQc")
            || head.starts_with("MIGfMA0GCSqGSIb3DQEBAQUA")
            // RSA with more bits, behind the length.
            || has_at(head, 8, "BgkqhkiG9w0BAQEF")
    };
    text.starts_with("whpk_")
        || pem_labels(text).any(is_public_label) && !pem_labels(text).any(is_private_label)
        || is_der(text)
}

/// Whether the text looks like a private key.
pub(crate) fn looks_like_private_key(text: &str) -> bool {
    let text = text.trim_start();
    let is_der = |head: &str| {
        // PKCS #8 of Ed25519, SEC 1 and PKCS #8 of P-256.
        head.starts_with("MC4CAQAwBQYDK2VwBCIEI")
            || has_at(head, 4, "AgEAMBMGByqGSM49AgEG")
            || head.starts_with("MHcCAQEEI")
            // RSA as PKCS #8 and as PKCS #1, behind the length.
            || has_at(head, 12, "BgkqhkiG9w0BAQEF")
            || has_at(head, 6, "IBAAKC")
    };
    text.starts_with("whsk_") || pem_labels(text).any(is_private_label) || is_der(text)
}

/// Whether long DER in base64 continues like this at an index.
fn has_at(text: &str, index: usize, part: &str) -> bool {
    text.starts_with("MI") && text.get(index..).is_some_and(|text| text.starts_with(part))
}

pub(super) const PEM_BEGIN: &str = "-----BEGIN ";

/// The labels of the PEM blocks: `PUBLIC KEY` of `-----BEGIN PUBLIC KEY-----`.
pub(super) fn pem_labels(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split(PEM_BEGIN).skip(1);
    blocks.filter_map(|block| Some(block.split_once("-----")?.0))
}

pub(super) fn is_private_label(label: &str) -> bool {
    label.contains("PRIVATE KEY")
}

pub(super) fn is_public_label(label: &str) -> bool {
    label.ends_with("PUBLIC KEY") || matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_secrets_by_their_look() {
        let public = [
            "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            "\n-----BEGIN PUBLIC KEY-----\nMCow",
            "-----BEGIN RSA PUBLIC KEY-----\\nMIIB",
            "-----BEGIN CERTIFICATE-----",
            "MCowBQYDK2VwAyEABsJXFaumsuZZrFm5h9VeqszhDDJZSDW9B6jqB5YNDso=",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpV",
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw9F7hoSERLZS57SCPtqw",
        ];
        let private = [
            "whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            "-----BEGIN PRIVATE KEY-----\nMC4C",
            " -----BEGIN RSA PRIVATE KEY-----\nMIIE",
            "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj",
            "MIIEowIBAAKCAQEA",
            "MHcCAQEEIONOuG5B2S7Yo0PA2oF7uJSyj3xigsbuRMQypAnO9kzRoAoGCCqGSM49",
            include_str!("vectors/keys/p256.pem")
                .split_once('\n')
                .unwrap()
                .1,
        ];
        for text in public {
            assert!(looks_like_public_key(text), "{text}");
            assert!(!looks_like_private_key(text), "{text}");
        }
        for text in private {
            assert!(looks_like_private_key(text), "{text}");
            assert!(!looks_like_public_key(text), "{text}");
        }
        for text in [
            "",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "e55c242274b25203fcef9fa5e95ce0b4667f8897ce0dedf5753d6d178df8fbef",
            "MII",
            "MIIé",
            "-----BEGIN ",
            "-----BEGIN PUBLIC KEY",
        ] {
            assert!(!looks_like_public_key(text), "{text}");
            assert!(!looks_like_private_key(text), "{text}");
        }
    }
}
