//! Secrets that cannot be right, judged by their look.

use crate::note::NoteKind;

/// How a provider's secrets look, and what else of the provider is mistaken for one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SecretLook {
    /// The beginning of every secret.
    pub(crate) prefix: Option<&'static str>,
    /// The beginnings of other credentials and ids, and what they are.
    pub(crate) others: &'static [(&'static str, &'static str)],
}

/// What is obviously wrong with a secret, and a clause that says so.
pub(crate) type Suspicion = (NoteKind, String);

/// What is wrong with a secret, if anything obvious is, as a clause without its subject.
pub(crate) fn suspicion(secret: &str, look: &SecretLook) -> Option<Suspicion> {
    let found = |kind, text: &str| Some((kind, text.to_owned()));
    if secret.chars().any(is_invisible) {
        return found(
            NoteKind::InvisibleCharacter,
            "it contains a character that cannot be seen; type it again, or remove the character",
        );
    }
    if is_quoted(secret) {
        return found(
            NoteKind::QuotedSecret,
            "it is in quotation marks, which belong to the secret then; remove them",
        );
    }
    if is_assignment(secret) {
        return found(
            NoteKind::AssignedSecret,
            "it is a whole assignment; keep only what follows the equals sign",
        );
    }
    if is_structured(secret) {
        return found(
            NoteKind::AssignedSecret,
            "it is JSON that holds a secret; keep only the value",
        );
    }
    if is_variable(secret) && secret.contains('_') && names_secret(secret) {
        return found(
            NoteKind::PlaceholderSecret,
            "it is the name of a variable; set it to the value the provider shows",
        );
    }
    if is_reference(secret) {
        return found(
            NoteKind::PlaceholderSecret,
            "it is a reference that nothing has resolved; set it to the value the provider shows",
        );
    }
    if secret.starts_with("-----BEGIN ") {
        return found(
            NoteKind::OtherCredential,
            "it is a key or certificate in PEM; set the secret of this webhook",
        );
    }
    if is_placeholder(secret) {
        return found(
            NoteKind::PlaceholderSecret,
            "it is a variable that nothing has expanded, a masked text or a placeholder; set it to the value the provider \
             shows",
        );
    }
    if secret.starts_with("http://") || secret.starts_with("https://") {
        return found(
            NoteKind::UrlSecret,
            "it is a URL; set it to the secret that the provider shows for it",
        );
    }
    let other = look.others.iter();
    let other = other.filter(|(prefix, _)| secret.starts_with(prefix));
    if let Some((prefix, what)) = other.max_by_key(|(prefix, _)| prefix.len()) {
        let text =
            format!("it begins with {prefix}, as {what} does; set the secret of this webhook");
        return Some((NoteKind::OtherCredential, text));
    }
    let prefix = look.prefix.filter(|prefix| !secret.starts_with(prefix))?;
    let text = format!(
        "it does not begin with {prefix}, as the secrets of this provider do; copy it again"
    );
    Some((NoteKind::UnusualSecret, text))
}

/// Control characters, blanks other than the space, and characters of no width.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || letter.is_whitespace() && letter != ' '
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn is_quoted(secret: &str) -> bool {
    const PAIRS: [(char, char); 5] = [
        ('"', '"'),
        ('\'', '\''),
        ('`', '`'),
        ('\u{201c}', '\u{201d}'),
        ('\u{2018}', '\u{2019}'),
    ];
    secret.chars().count() > 1
        && PAIRS
            .iter()
            .any(|(first, last)| secret.starts_with(*first) && secret.ends_with(*last))
}

/// `NAME=value`, where the name is one of a secret.
fn is_assignment(secret: &str) -> bool {
    let secret = secret.strip_prefix("export ").unwrap_or(secret);
    let Some((name, value)) = secret.split_once('=') else {
        return false;
    };
    is_variable(name.trim_end())
        && names_secret(name)
        // Base64 ends with equals signs.
        && value.contains(|letter| letter != '=')
}

fn names_secret(name: &str) -> bool {
    ["SECRET", "KEY", "TOKEN", "WEBHOOK", "SIGN", "PASS"]
        .iter()
        .any(|word| name.contains(word))
}

/// An object, or a list of texts, such as a secret store returns.
fn is_structured(secret: &str) -> bool {
    let inner = |first: char, last: char| secret.strip_prefix(first)?.strip_suffix(last);
    let begins = |text: &str| text.trim_start().starts_with('"');
    inner('{', '}').is_some_and(|inner| begins(inner) && inner.contains(':'))
        || inner('[', ']').is_some_and(begins)
}

/// The place of a secret in a store, or a file.
fn is_reference(secret: &str) -> bool {
    const STORES: [&str; 6] = [
        "@Microsoft.KeyVault(",
        "arn:aws:secretsmanager:",
        "arn:aws:ssm:",
        "op://",
        "/run/secrets/",
        "/var/run/secrets/",
    ];
    STORES.iter().any(|store| secret.starts_with(store))
}

/// The name of an environment variable.
fn is_variable(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_placeholder(secret: &str) -> bool {
    const WHOLE: [&str; 11] = [
        "none",
        "null",
        "redacted",
        "[redacted]",
        "[object object]",
        "undefined",
        "secret",
        "webhook-secret",
        "webhook_secret",
        "signing-secret",
        "todo",
    ];
    const PARTS: [&str; 9] = [
        "changeme",
        "change-me",
        "change_me",
        "replaceme",
        "replace-me",
        "replace_me",
        "placeholder",
        "****",
        "\u{2022}\u{2022}",
    ];
    let between = |first: &str, last: &str| {
        let inner = secret
            .strip_prefix(first)
            .and_then(|rest| rest.strip_suffix(last));
        inner.is_some_and(|inner| !inner.is_empty())
    };
    let bare = secret.strip_prefix("whsec_").unwrap_or(secret);
    let lower = bare.to_lowercase();
    let is_filler = |letter: char| matches!(letter, 'x' | '*' | '.' | '\u{2026}' | '\u{2022}');
    let is_your = ["your", "enter", "insert", "put"]
        .iter()
        .any(|verb| lower.trim_start_matches('<').starts_with(verb))
        && ["secret", "key", "token"]
            .iter()
            .any(|noun| lower.contains(noun));
    between("${", "}")
        || between("#{", "}")
        || between("#{", "}#")
        || between("$(", ")")
        || between("{{", "}}")
        || between("<", ">")
        || between("%", "%") && is_variable(secret.trim_matches('%'))
        || secret.strip_prefix('$').is_some_and(is_variable)
        || !lower.is_empty() && lower.chars().all(is_filler)
        || lower.ends_with("...")
        || lower.ends_with('\u{2026}')
        || WHOLE.contains(&&*lower)
        || PARTS.iter().any(|part| lower.contains(part))
        || is_your
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIPE: SecretLook = SecretLook {
        prefix: Some("whsec_"),
        others: &[("sk_", "an API key"), ("sk_live_", "a live API key")],
    };
    const SLACK: SecretLook = SecretLook {
        prefix: None,
        others: &[("xoxb-", "a bot token")],
    };
    const ANY: SecretLook = SecretLook {
        prefix: None,
        others: &[],
    };

    #[test]
    fn what_cannot_be_a_secret_and_its_neighbours() {
        use NoteKind::*;
        for (look, secret, kind) in [
            (ANY, "${STRIPE_WEBHOOK_SECRET}", Some(PlaceholderSecret)),
            (ANY, "${secret:-default}", Some(PlaceholderSecret)),
            (ANY, "$STRIPE_SECRET", Some(PlaceholderSecret)),
            (ANY, "$tripe-secret-of-length", None),
            (ANY, "$1$abcdefgh$0123456789", None),
            (ANY, "{{ webhook_secret }}", Some(PlaceholderSecret)),
            (ANY, "<your secret>", Some(PlaceholderSecret)),
            (ANY, "%WEBHOOK_SECRET%", Some(PlaceholderSecret)),
            (ANY, "%41%42%43", None),
            (ANY, "whsec_...", Some(PlaceholderSecret)),
            (ANY, "whsec_xxxxxxxxxxxx", Some(PlaceholderSecret)),
            (ANY, "whsec_****1234", Some(PlaceholderSecret)),
            (ANY, "your-signing-secret", Some(PlaceholderSecret)),
            (ANY, "YOUR_WEBHOOK_KEY_HERE", Some(PlaceholderSecret)),
            (ANY, "yourselfishness-is-long", None),
            (ANY, "changeme-please", Some(PlaceholderSecret)),
            (ANY, "It's a Secret to Everybody", None),
            (ANY, "the-secret-of-tomorrow", None),
            (ANY, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", None),
            (ANY, "5WbX5kEWLlfzsGNjH64Ide8lOOqUB6e8FH", None),
            (ANY, "'quoted-secret-of-length'", Some(QuotedSecret)),
            (ANY, "\"quoted-secret-of-length\"", Some(QuotedSecret)),
            (ANY, "\u{201c}quoted-secret\u{201d}", Some(QuotedSecret)),
            (ANY, "a\"quote\"inside-of-it", None),
            (ANY, "\"", None),
            (ANY, "GITHUB_SECRET=the-secret-of-x", Some(AssignedSecret)),
            (ANY, "export WEBHOOK_KEY=abc", Some(AssignedSecret)),
            (ANY, "API_KEY = abc", Some(AssignedSecret)),
            (ANY, "MYKEYABCDEFGHIJKLMNOPQRS==", None),
            (ANY, "ABC=DEF-and-so-on", None),
            (ANY, "secret=lower-case-name", None),
            (
                ANY,
                "the-secret\u{200b}-of-length",
                Some(InvisibleCharacter),
            ),
            (
                ANY,
                "the-secret-of-length\u{feff}",
                Some(InvisibleCharacter),
            ),
            (ANY, "the-secret\tof-length", Some(InvisibleCharacter)),
            (ANY, "the-secret\u{a0}of-length", Some(InvisibleCharacter)),
            (ANY, "the secret of length", None),
            (ANY, "gehe\u{ed}mnis-mit-l\u{e4}nge", None),
            (ANY, "#{WEBHOOK_SECRET}#", Some(PlaceholderSecret)),
            (ANY, "$(cat /run/secret)", Some(PlaceholderSecret)),
            (ANY, "undefined", Some(PlaceholderSecret)),
            (ANY, "[redacted]", Some(PlaceholderSecret)),
            (ANY, "undefined-but-long-enough", None),
            (ANY, "GITHUB_WEBHOOK_SECRET", Some(PlaceholderSecret)),
            (STRIPE, "STRIPE_SIGNING_KEY", Some(PlaceholderSecret)),
            (ANY, "GITHUBWEBHOOKSECRET", None),
            (ANY, "ABC_DEF_0123456789", None),
            (ANY, "GITHUB_WEBHOOK_SECRET-of-mine", None),
            (ANY, "op://vault/item/secret", Some(PlaceholderSecret)),
            (ANY, "/run/secrets/github", Some(PlaceholderSecret)),
            (
                ANY,
                "arn:aws:secretsmanager:eu:1:secret:x",
                Some(PlaceholderSecret),
            ),
            (ANY, "open://the-secret-of-length", None),
            (ANY, r#"{"GITHUB_SECRET":"abcdefgh"}"#, Some(AssignedSecret)),
            (ANY, r#"[ "abcdefgh", "ijklmnop" ]"#, Some(AssignedSecret)),
            (ANY, "{curly-secret-of-length:}", None),
            (ANY, "[square-secret-of-length]", None),
            (ANY, "-----BEGIN PRIVATE KEY-----", Some(OtherCredential)),
            (ANY, "-----the-secret-of-length", None),
            (ANY, "https://example.com/hooks/1", Some(UrlSecret)),
            (ANY, "httpsecret-of-some-length", None),
            (STRIPE, "sk_live_51HxyzABCDEF", Some(OtherCredential)),
            (STRIPE, "sk_test_51HxyzABCDEF", Some(OtherCredential)),
            (STRIPE, "whsec_sk_live_51HxyzABCDEF", None),
            (STRIPE, "we_1HxyzABCDEF", Some(UnusualSecret)),
            (ANY, "sk_live_51HxyzABCDEF", None),
            (SLACK, "xoxb-123-456-abc", Some(OtherCredential)),
            (SLACK, "8f742231b10e8888abcd99yyyzzz85a5", None),
            (SLACK, "8f742231xoxb-", None),
        ] {
            let found = suspicion(secret, &look).map(|(kind, _)| kind);
            assert_eq!(found, kind, "{secret:?}");
        }
        let (_, text) = suspicion("sk_live_51HxyzABCDEF", &STRIPE).unwrap();
        assert_eq!(
            text,
            "it begins with sk_live_, as a live API key does; set the secret of this webhook"
        );
    }
}
