//! Decodes the text of a key: PEM, base64 or hex.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    crypto::{
        encoding::{decode_base64_secret, decode_hex},
        key_text::{PEM_BEGIN, is_private_label, is_public_label, pem_labels},
    },
    error::SetupError,
};

/// Which half of a key pair is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Public,
    Private,
}

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public key",
            Self::Private => "private key",
        })
    }
}

/// What surrounded the bytes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Armor {
    /// A PEM block, which holds DER.
    Pem,
    /// The PEM block of a certificate.
    Certificate,
    /// `whpk_` or `whsk_` of Standard Webhooks, before a bare Ed25519 key.
    Prefix,
    /// Nothing: DER or a bare key.
    None,
}

pub(super) struct KeyBytes {
    pub(super) armor: Armor,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Refuses a private key where a public one belongs.
pub(super) fn is_private() -> SetupError {
    SetupError::new(
        "it is a private key, and a receiver needs only the public one; set that, as \
         `openssl pkey -in key.pem -pubout` writes it",
    )
}

/// Refuses a public key where a private one belongs.
pub(super) fn is_public() -> SetupError {
    SetupError::new("it is a public key, which cannot sign; set the private key that belongs to it")
}

/// Refuses an encrypted private key.
pub(super) fn is_encrypted() -> SetupError {
    SetupError::new(
        "it is an encrypted private key; decrypt it with `openssl pkey -in key.pem -out plain.pem`",
    )
}

/// Refuses an elliptic-curve key outside PKCS #8.
pub(super) fn is_sec1() -> SetupError {
    SetupError::new(
        "it is an elliptic-curve key as SEC 1; convert it to PKCS #8 with \
         `openssl pkcs8 -topk8 -nocrypt -in key.pem`",
    )
}

/// Removes the armor of a key and decodes it. The errors never quote the text.
pub(super) fn decode(text: &str, half: Half) -> Result<KeyBytes, SetupError> {
    let refused = |message: String| Err(SetupError::new(message));
    if text.is_empty() {
        return refused(format!("it is empty; set it to the {half}"));
    }
    if text.starts_with('\u{feff}') {
        return refused("it begins with a byte order mark; save it without one".to_owned());
    }
    // Environment variables often hold line breaks as `\n`, escaped once or twice.
    let lines = Zeroizing::new(text.replace("\\\\", "\\"));
    let lines = Zeroizing::new(lines.replace("\\r", "\n"));
    let lines = Zeroizing::new(lines.replace("\\n", "\n"));
    let text = lines.trim();
    if text.is_empty() {
        return refused(format!("it is blank; set it to the {half}"));
    }
    let quote = ['"', '\'', '`'];
    if text.starts_with(quote) || text.ends_with(quote) {
        return refused("it is in quotation marks; remove them".to_owned());
    }
    if text.contains(PEM_BEGIN) {
        return decode_pem(text, half);
    }
    refuse_other_things(text, half)?;
    let (armor, text) = match (text.strip_prefix("whpk_"), text.strip_prefix("whsk_")) {
        (Some(_), _) if half == Half::Private => return Err(is_public()),
        (_, Some(_)) if half == Half::Public => return Err(is_private()),
        (Some(bare), _) | (_, Some(bare)) => (Armor::Prefix, bare),
        (None, None) => (Armor::None, text),
    };
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    text.lines().for_each(|line| joined.push_str(line.trim()));
    let is_hex = joined.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && !joined.len().is_multiple_of(2) {
        return refused(format!(
            "it has an odd number of hex digits; copy the whole {half}"
        ));
    }
    let bytes = if is_hex {
        decode_hex(&joined)
    } else {
        decode_base64_secret(&joined)
    };
    let Some(bytes) = bytes.map(Zeroizing::new) else {
        return refused(format!(
            "it is neither PEM nor base64 nor hex; copy the {half} again, with nothing before or after it"
        ));
    };
    if bytes.is_empty() {
        return refused(format!(
            "there is nothing behind its prefix; copy the whole {half}"
        ));
    }
    Ok(KeyBytes { armor, bytes })
}

/// Names what else is set by mistake.
fn refuse_other_things(text: &str, half: Half) -> Result<(), SetupError> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| text.ends_with(suffix));
    let message = if begins(&["whsec_", "v1,whsec_"]) {
        format!(
            "it is a shared secret, and this algorithm needs a {half}; copy the {half}, or choose the algorithm \
             of shared secrets"
        )
    } else if begins(&[
        "ssh-",
        "ecdsa-sha2-",
        "sk-ssh-",
        "sk-ecdsa-",
        "---- BEGIN SSH2",
    ]) {
        "it is a public key of OpenSSH; copy the PEM that the provider shows, or convert it with \
         `ssh-keygen -e -m PKCS8 -f key.pub`"
            .to_owned()
    } else if text.contains("-----") {
        "it is a PEM block without its BEGIN line; copy the whole block, from the BEGIN line to the END line".to_owned()
    } else if begins(&["$", "%", "<", "{{"]) || (begins(&["{"]) && !text.contains('"')) {
        format!("it is a placeholder that was not replaced; set it to the {half}")
    } else if begins(&["{", "["]) {
        "it is JSON, and no JSON Web Key; copy the key again, or set it as PEM".to_owned()
    } else if text.contains("://") {
        format!("it is a URL; set it to the {half} that is there")
    } else if ends(&[".pem", ".pub", ".key", ".crt", ".cer", ".der"]) {
        "it is the name of a file; set it to what the file contains".to_owned()
    } else if begins(&["0x", "0X"]) {
        "it begins with 0x; remove that".to_owned()
    } else {
        return Ok(());
    };
    Err(SetupError::new(message))
}

fn decode_pem(text: &str, half: Half) -> Result<KeyBytes, SetupError> {
    let refused = |message: &str| Err(SetupError::new(message));
    const CUT: &str =
        "it is a PEM block that was cut; copy the whole block, from the BEGIN line to the END line";
    match half {
        Half::Public if pem_labels(text).any(is_private_label) => return Err(is_private()),
        Half::Private if pem_labels(text).all(is_public_label) && pem_labels(text).count() > 0 => {
            return Err(is_public());
        }
        _ => {}
    }
    if pem_labels(text).any(|label| label == "EC PRIVATE KEY") {
        return Err(is_sec1());
    }
    match text.matches(PEM_BEGIN).count() {
        1 => {}
        blocks => {
            return refused(&format!(
                "it has {blocks} PEM blocks, and a key is one; keep that of the key, which is the first in a chain of \
                 certificates"
            ));
        }
    }
    let Some((before, rest)) = text.split_once(PEM_BEGIN) else {
        return refused(CUT);
    };
    let Some((label, rest)) = rest.split_once("-----") else {
        return refused(CUT);
    };
    match label {
        _ if label.contains('\n') => return refused(CUT),
        "ENCRYPTED PRIVATE KEY" => return Err(is_encrypted()),
        "OPENSSH PRIVATE KEY" => {
            return refused(
                "it is a private key of OpenSSH; convert a copy of it with `ssh-keygen -p -m PKCS8 -f copy`",
            );
        }
        "PRIVATE KEY" | "RSA PRIVATE KEY" => {}
        _ if is_public_label(label) => {}
        _ => {
            return refused(&format!(
                "it is a PEM block that holds no {half}; set one that begins with BEGIN {}",
                if half == Half::Public {
                    "PUBLIC KEY"
                } else {
                    "PRIVATE KEY"
                }
            ));
        }
    }
    let Some((body, after)) = rest.split_once(&format!("-----END {label}-----")) else {
        return refused(if rest.contains("-----END") {
            "the END line of its PEM block does not match the BEGIN line; copy the whole block again"
        } else {
            CUT
        });
    };
    if !before.trim().is_empty() || !after.trim().is_empty() {
        return refused(
            "there is text around its PEM block; keep only the lines from BEGIN to END",
        );
    }
    if body.contains("ENCRYPTED") {
        return Err(is_encrypted());
    }
    if body.contains(':') {
        return refused(
            "its PEM block has headers; remove the lines between the BEGIN line and the empty line",
        );
    }
    let mut joined = Zeroizing::new(String::with_capacity(body.len()));
    body.split_ascii_whitespace()
        .for_each(|part| joined.push_str(part));
    let bytes = decode_base64_secret(&joined).map(Zeroizing::new);
    match bytes.filter(|bytes| !bytes.is_empty()) {
        Some(bytes) => Ok(KeyBytes {
            armor: if label.ends_with("CERTIFICATE") {
                Armor::Certificate
            } else {
                Armor::Pem
            },
            bytes,
        }),
        None => refused(
            "its PEM block is empty or is not base64 throughout; copy the whole block again",
        ),
    }
}
