//! Notes about endpoints when they are set up, and genuine set-ups that must not have them.

use std::convert::Infallible;

use http_body_util::Full;
use support::{Answer, Lines};
use tower::{ServiceBuilder, ServiceExt};
use tower_webhook::{
    NoteKind, PublicKey, WebhookVerifyLayer,
    delivery::{DeduplicateBy, DeliveryLayer, MemoryStore},
    keys::source_fn,
    scheme::{Coverage, Locator},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::*;

/// The private key of every certificate here.
const PRIVATE_KEY: &str = include_str!("../../../src/crypto/vectors/keys/rsa2048.pem");

/// A set-up, and the note whose presence or absence it shows.
pub(super) struct Setup {
    pub(super) about: NoteKind,
    pub(super) what: &'static str,
    provider: Provider,
    secrets: Vec<Secret>,
    /// The kinds of all notes.
    expected: &'static [NoteKind],
}

/// A note, or a line of the log about it.
pub(super) struct Noted {
    pub(super) kind: NoteKind,
    pub(super) text: String,
}

impl Setup {
    pub(super) fn has_note(&self) -> bool {
        self.expected.contains(&self.about)
    }

    /// The notes of the verifier, and those of the log of both layers and their first delivery.
    pub(super) async fn notes(&self) -> (Vec<Noted>, Lines) {
        let verifier = Verifier::new(self.provider.clone(), self.secrets.clone()).unwrap();
        let notes = verifier.notes().into_iter();
        let mut notes: Vec<_> = notes
            .map(|note| Noted {
                kind: note.kind(),
                text: note.to_string(),
            })
            .collect();
        let secret = match self.about {
            NoteKind::ExpiredCertificate => Secret::new(PRIVATE_KEY),
            _ => self.secrets[0].clone(),
        };
        let signer = Signer::new(self.provider.clone(), secret).unwrap();
        let signer = signer.with_time(at(NOW));
        let site = Site { verifier, signer };
        let request = site.sign("{}").map(Full::new);

        let (lines, _guard) = Lines::of_this_thread(LevelFilter::WARN, FmtSpan::NONE);
        let layer = WebhookVerifyLayer::new(site.verifier).with_clock(|| at(NOW));
        let deliver = DeliveryLayer::new(MemoryStore::new());
        let handler = |_| async { Ok::<_, Infallible>(Answer::default()) };
        let builder = ServiceBuilder::new().layer(layer).layer(deliver);
        let service = builder.service_fn(handler);
        for _ in 0..2 {
            let answer = service.clone().oneshot(request.clone()).await.unwrap();
            assert_eq!(answer.status(), 200, "{}", lines.text());
        }
        // Each is logged once, as WARN; one that only a delivery can show has only its line.
        let logged = lines.with(" note=");
        for (place, line) in logged.iter().enumerate() {
            let (head, kind) = line.split_once(" note=").unwrap();
            let kind = kind.split(' ').next().unwrap().trim_matches('"');
            let (_, text) = head.split_once(" tower_webhook: ").unwrap();
            assert!(head.trim_start().starts_with("WARN "), "{line}");
            if place >= notes.len() {
                notes.push(Noted {
                    kind: kind.parse().unwrap(),
                    text: text.to_owned(),
                });
            }
            assert_eq!(notes[place].kind.as_str(), kind, "{line}");
            assert_eq!(notes[place].text, text, "{line}");
        }
        assert_eq!(logged.len(), notes.len(), "{}", lines.text());
        (notes, lines)
    }
}

fn acme(algorithm: Algorithm, signed: &'static str) -> Scheme {
    Scheme::signed(
        algorithm,
        signed,
        SignatureFormat::single("X-Acme", Encoding::Hex),
    )
}

fn timed(signed: &'static str) -> Scheme {
    acme(Algorithm::HmacSha256, signed).with_timestamp(Timestamp::header("X-Time"))
}

/// Set-ups with each note, and genuine ones without.
pub(super) fn setups() -> Vec<Setup> {
    let mut all = of_secrets();
    all.extend(of_several_secrets());
    all.extend(of_schemes());
    all.extend(of_deliveries());
    all.extend(of_certificates());
    all.extend(of_assumptions());
    all.extend(of_registrations());
    all
}

/// Whether a secret is taken that nobody has signed.
fn of_registrations() -> Vec<Setup> {
    let about = NoteKind::OpenRegistration;
    let asana =
        |state| providers::asana().with_handshake_setting("registration", Secret::new(state));
    let rows = [
        ("asana, open", asana("open"), true),
        ("asana, closed", asana("closed"), false),
        ("asana", providers::asana(), false),
    ];
    rows.into_iter()
        .map(|(what, provider, noted)| Setup {
            about,
            what,
            provider,
            secrets: vec![Secret::new(TEXT)],
            expected: if noted { only(about) } else { &[] },
        })
        .collect()
}

/// One secret, whose look is what is noted.
fn of_secrets() -> Vec<Setup> {
    use NoteKind::{
        AssignedSecret, InvisibleCharacter, OtherCredential, PlaceholderSecret, QuotedSecret,
        ShortSecret, UnusualSecret, UrlSecret,
    };
    const STANDARD: &str = "standard-webhooks";
    // About, provider, secret, and whether it is noted.
    let rows: &[(NoteKind, &str, &str, bool)] = &[
        (ShortSecret, "github", "fifteen-letters", true),
        (ShortSecret, "idenfy", "k", true),
        (ShortSecret, "github", "sixteen--letters", false),
        // What was decoded from base64 has a minimum length that is an error.
        (ShortSecret, "svix", "whsec_MfKQ9r8GKYqrTwjUPD8ILQ==", false),
        (
            PlaceholderSecret,
            "stripe",
            "${STRIPE_WEBHOOK_SECRET}",
            true,
        ),
        (PlaceholderSecret, "stripe", "$STRIPE_SECRET", true),
        (
            PlaceholderSecret,
            "github",
            "{{ github_webhook_secret }}",
            true,
        ),
        (PlaceholderSecret, "github", "%GITHUB_WEBHOOK_SECRET%", true),
        (
            PlaceholderSecret,
            "github",
            "<the secret of the webhook>",
            true,
        ),
        (PlaceholderSecret, "stripe", "whsec_...", true),
        (
            PlaceholderSecret,
            "stripe",
            "whsec_xxxxxxxxxxxxxxxxxxxxxxxx",
            true,
        ),
        (PlaceholderSecret, "slack", "your-signing-secret", true),
        (PlaceholderSecret, "shopify", "changeme", true),
        (PlaceholderSecret, "github", "************ab12", true),
        (
            PlaceholderSecret,
            "github",
            "$2b$10$N9qo8uLOickgx2ZMRZoQqa",
            false,
        ),
        (
            PlaceholderSecret,
            "github",
            "a {{mustache}} in a secret",
            false,
        ),
        (
            PlaceholderSecret,
            "github",
            "100% a secret of this webhook",
            false,
        ),
        (
            PlaceholderSecret,
            "github",
            "the <best> secret there is",
            false,
        ),
        (QuotedSecret, "github", "\"a-secret-of-this-webhook\"", true),
        (QuotedSecret, "github", "'a-secret-of-this-webhook'", true),
        (
            QuotedSecret,
            "stripe",
            "\u{201c}whsec_Zt9kQ2mXr7LwB4nVc8\u{201d}",
            true,
        ),
        (QuotedSecret, "github", TEXT, false),
        (QuotedSecret, "github", "\"half of a quotation", false),
        (
            AssignedSecret,
            "github",
            "GITHUB_WEBHOOK_SECRET=a-secret",
            true,
        ),
        (
            AssignedSecret,
            "stripe",
            "export STRIPE_KEY=whsec_Zt9kQ2mX",
            true,
        ),
        (
            AssignedSecret,
            "github",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZSECRET==",
            false,
        ),
        (AssignedSecret, "github", "an=equals=sign=or=several", false),
        (
            InvisibleCharacter,
            "github",
            "a-secret-of-this-webhook\u{200b}",
            true,
        ),
        (
            InvisibleCharacter,
            "github",
            "a-secret\u{a0}of-this-webhook",
            true,
        ),
        (
            InvisibleCharacter,
            "stripe",
            "whsec_Zt9kQ2mX\nr7LwB4nVc8HsY1pJ",
            true,
        ),
        (
            InvisibleCharacter,
            "github",
            "m\u{fc}nchen-\u{1f511}-secret-of-acme",
            false,
        ),
        (
            UrlSecret,
            "github",
            "https://example.com/webhooks/github",
            true,
        ),
        (UrlSecret, "slack", "http://localhost:3000/webhooks", true),
        (
            UrlSecret,
            "github",
            "https-is-what-this-secret-is-about",
            false,
        ),
        (
            OtherCredential,
            "stripe",
            "sk_live_51HxyzABCDEFGHIJKL",
            true,
        ),
        (
            OtherCredential,
            "stripe",
            "rk_live_51HxyzABCDEFGHIJKL",
            true,
        ),
        (
            OtherCredential,
            "stripe",
            "pk_test_51HxyzABCDEFGHIJKL",
            true,
        ),
        (OtherCredential, "stripe", "we_1HxyzABCDEFGHIJKLMNOP", true),
        (
            OtherCredential,
            "github",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            true,
        ),
        (
            OtherCredential,
            "github",
            "github_pat_11ABCDEFG0abcdefghijkl",
            true,
        ),
        (
            OtherCredential,
            "slack",
            "xoxb-17653672481-19874698323",
            true,
        ),
        (
            OtherCredential,
            "shopify",
            "shpat_0123456789abcdef0123456789abcdef",
            true,
        ),
        // One provider's credential may be another's secret, which its owner chose.
        (
            OtherCredential,
            "github",
            "sk_live_51HxyzABCDEFGHIJKL",
            false,
        ),
        (
            OtherCredential,
            "slack",
            "8f742231b10e8888abcd99yyyzzz85a5",
            false,
        ),
        (OtherCredential, "github", "not-ghp_at-the-beginning", false),
        (
            UnusualSecret,
            "stripe",
            "Zt9kQ2mXr7LwB4nVc8HsY1pJd6GfKaEu",
            true,
        ),
        (UnusualSecret, "stripe", STRIPE, false),
        (
            UnusualSecret,
            "github",
            "Zt9kQ2mXr7LwB4nVc8HsY1pJd6GfKaEu",
            false,
        ),
        (
            UnusualSecret,
            STANDARD,
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            false,
        ),
    ];
    let setup = |(about, name, secret, noted): &(NoteKind, &str, &'static str, bool)| Setup {
        about: *about,
        what: secret,
        provider: support::provider(name).with_deduplicate_by(DeduplicateBy::Body),
        secrets: vec![Secret::new(*secret)],
        expected: if *noted { only(*about) } else { &[] },
    };
    rows.iter().map(setup).collect()
}

/// A list of this kind only.
fn only(kind: NoteKind) -> &'static [NoteKind] {
    let all = NoteKind::ALL;
    let place = all.iter().position(|other| *other == kind).unwrap();
    &all[place..=place]
}

fn of_several_secrets() -> Vec<Setup> {
    use NoteKind::{RepeatedId, RepeatedSecret};
    let one = || Secret::new("the-first-secret-of-two");
    let two = || Secret::new("the-second-secret-of-two");
    let rows = [
        (RepeatedSecret, "the same twice", vec![one(), one()], true),
        (
            RepeatedSecret,
            "the same twice, and another between",
            vec![one().with_id("1"), two(), one().with_id("3")],
            true,
        ),
        (
            RepeatedSecret,
            "the same with another period",
            vec![one().with_not_after(at(2 * NOW)), one()],
            true,
        ),
        (RepeatedSecret, "a rotation", vec![one(), two()], false),
        (
            RepeatedSecret,
            "a secret that begins as the other does",
            vec![one(), Secret::new("the-first-secret-of-two-")],
            false,
        ),
        (
            RepeatedId,
            "one id for two secrets",
            vec![one().with_id("2026"), two().with_id("2026")],
            true,
        ),
        (
            RepeatedId,
            "two ids",
            vec![one().with_id("2026"), two().with_id("2027")],
            false,
        ),
        (RepeatedId, "no ids", vec![one(), two()], false),
        (
            RepeatedId,
            "an id and none",
            vec![one().with_id("2026"), two()],
            false,
        ),
    ];
    rows.into_iter()
        .map(|(about, what, secrets, noted)| Setup {
            about,
            what,
            provider: providers::github(),
            secrets,
            expected: if noted { only(about) } else { &[] },
        })
        .collect()
}

/// The form of a public key does not matter, but when a certificate ends.
fn of_certificates() -> Vec<Setup> {
    const EXPIRED: &str = include_str!("../../../src/crypto/vectors/keys/expired.crt.pem");
    const CURRENT: &str = include_str!("../../../src/crypto/vectors/keys/rsa2048.crt.pem");
    const BARE: &str = include_str!("../../../src/crypto/vectors/keys/rsa2048.pub.pem");
    let rows = [
        ("a certificate of 2020", EXPIRED, true),
        ("a certificate that is valid", CURRENT, false),
        ("a bare key", BARE, false),
    ];
    let rows = rows.into_iter().map(|(what, key, noted)| Setup {
        about: NoteKind::ExpiredCertificate,
        what,
        provider: Provider::new("acme", acme(Algorithm::RsaPkcs1Sha256, "{body}")),
        secrets: vec![PublicKey::new(key).into()],
        expected: if noted {
            &[NoteKind::ExpiredCertificate]
        } else {
            &[]
        },
    });
    rows.collect()
}

fn of_schemes() -> Vec<Setup> {
    use NoteKind::{LengthExtension, UnauthenticatedDigest, UnsignedTimestamp};
    let authento = |variant: &str| {
        let provider = providers::authento();
        provider.select_variant(variant).unwrap()
    };
    let own = |scheme: Scheme| Provider::new("acme", scheme);
    let keyed = || acme(Algorithm::HmacSha256, "{body}");
    let plain = || acme(Algorithm::UnauthenticatedSha256, "{body}");
    let digest = |signed| acme(Algorithm::Sha256, signed);
    let rows = [
        (UnauthenticatedDigest, "a plain digest", own(plain()), true),
        (
            UnauthenticatedDigest,
            "the plain digest of a provider",
            authento("unauthenticated-sha256"),
            true,
        ),
        (
            UnauthenticatedDigest,
            "a digest of the secret",
            authento("sha256-body-secret"),
            false,
        ),
        (UnauthenticatedDigest, "HMAC", own(keyed()), false),
        (
            UnauthenticatedDigest,
            "a plain digest that has to be selected",
            own(keyed()).with_opt_in_variant("plain", plain()),
            false,
        ),
        (
            LengthExtension,
            "the secret in front",
            own(digest("{secret}{body}")),
            true,
        ),
        (
            LengthExtension,
            "the secret at the end",
            own(digest("{body}{secret}")),
            false,
        ),
        (
            LengthExtension,
            "the secret in front of a HMAC",
            own(acme(Algorithm::HmacSha512, "{body}.{header:X-Id}")),
            false,
        ),
        (
            UnsignedTimestamp,
            "a time beside the signed body",
            own(timed("{body}")),
            true,
        ),
        (
            UnsignedTimestamp,
            "a time in the signed content",
            own(timed("{ts}.{body}")),
            false,
        ),
        (
            UnsignedTimestamp,
            "a time behind the body",
            own(timed("{body}.{ts}")),
            false,
        ),
        (UnsignedTimestamp, "no time", own(keyed()), false),
    ];
    let setups = rows
        .into_iter()
        .map(|(about, what, provider, noted)| Setup {
            about,
            what,
            provider,
            secrets: vec![Secret::new(TEXT)],
            expected: if noted { only(about) } else { &[] },
        });
    // What no key is made of is not judged.
    let unused = Setup {
        about: NoteKind::PlaceholderSecret,
        what: "a secret that a plain digest does not use",
        provider: own(plain()),
        secrets: vec![Secret::new("changeme")],
        expected: only(UnauthenticatedDigest),
    };
    setups.chain([unused]).collect()
}

/// Schemes that are assumed, until an endpoint selects a variant.
fn of_assumptions() -> Vec<Setup> {
    let about = NoteKind::AssumedScheme;
    let authento = providers::authento;
    let selected = authento().select_variant("hmac-sha256").unwrap();
    let rows = [
        ("authento", authento(), true),
        ("a row of the catalogue", providers::webex(), true),
        ("a selected variant", selected, false),
        ("a documented scheme", providers::idenfy(), false),
    ];
    rows.into_iter()
        .map(|(what, provider, noted)| Setup {
            about,
            what,
            provider,
            secrets: vec![Secret::new(TEXT)],
            expected: if noted { only(about) } else { &[] },
        })
        .collect()
}

/// What only matters where deliveries are deduplicated.
fn of_deliveries() -> Vec<Setup> {
    let about = NoteKind::UnsignedEventType;
    let typed = |scheme: Scheme| {
        let provider = Provider::new("acme", scheme);
        provider.with_event_type(Locator::header("X-Id"))
    };
    let body = || acme(Algorithm::HmacSha256, "{body}");
    let both = || acme(Algorithm::HmacSha256, "{header:X-Id}.{body}");
    let shopify = providers::shopify;
    let rows = [
        ("shopify", shopify(), true),
        ("a type in a header", typed(body()), true),
        (
            "shopify, by body and type",
            shopify().with_deduplicate_by(DeduplicateBy::BodyAndEventType),
            false,
        ),
        (
            "shopify, knowingly by body",
            shopify().with_deduplicate_by(DeduplicateBy::Body),
            false,
        ),
        ("github, whose bodies differ", providers::github(), false),
        ("idenfy", providers::idenfy(), false),
        ("a type in a signed header", typed(both()), false),
        (
            "a type in the body",
            Provider::new("acme", body()).with_event_type(Locator::json("/type")),
            false,
        ),
        (
            "an id in the body",
            typed(body()).with_delivery_id(Locator::json("/id")),
            false,
        ),
        ("no type", Provider::new("acme", body()), false),
        (
            "values that are signed instead of the body",
            Provider::new(
                "acme",
                acme(Algorithm::HmacSha256, "{header:X-Id}").with_coverage(Coverage::Partial),
            )
            .accept_unsigned_body()
            .with_event_type(Locator::header("X-Id")),
            false,
        ),
    ];
    rows.into_iter()
        .map(|(what, provider, noted)| Setup {
            about,
            what,
            provider,
            secrets: vec![Secret::new(TEXT)],
            expected: if noted { only(about) } else { &[] },
        })
        .collect()
}

#[tokio::test]
async fn set_ups_have_exactly_these_notes() {
    let mut wrong = Vec::new();
    for setup in setups() {
        let (notes, _) = setup.notes().await;
        let kinds: Vec<_> = notes.iter().map(|note| note.kind).collect();
        if kinds != setup.expected {
            let (about, what, expected) = (setup.about, setup.what, setup.expected);
            wrong.push(format!("{about}: {what}: {kinds:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_note_has_set_ups_with_it_and_genuine_ones_without() {
    let setups = setups();
    for kind in NoteKind::ALL {
        let about = || setups.iter().filter(|setup| setup.about == *kind);
        let with = about().filter(|setup| setup.has_note()).count();
        let without = about().filter(|setup| !setup.has_note()).count();
        assert!(
            with > 0 && without > 0,
            "{kind}: {with} with, {without} without"
        );
    }
}

/// The secrets have the form that each provider's dashboard shows.
#[test]
fn a_built_in_provider_with_a_secret_of_its_form_has_no_notes() {
    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015";
    const UUID: &str = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";
    const RANDOM: &str = "q3mVt7Zx-Kd9_Lw2RbNp5Yc8HsJf";
    for name in support::FOUNDING {
        let secrets = match name {
            "stripe" => [STRIPE, "whsec_51HxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"],
            "svix" | "voveid" => [SVIX, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            "standard-webhooks" => [SVIX, "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            _ => [HEX, RANDOM],
        };
        let text = !matches!(name, "stripe" | "svix" | "voveid" | "standard-webhooks");
        for secret in secrets.into_iter().chain(text.then_some(UUID)) {
            let provider = support::provider(name);
            let verifier = Verifier::new(provider, Secret::new(secret)).unwrap();
            let mut notes = verifier.notes();
            let is_assumed = matches!(name, "authenteq" | "authento");
            if is_assumed {
                assert_eq!(notes.remove(0).kind(), NoteKind::AssumedScheme);
            }
            assert_eq!(notes, [], "{name}: {secret}");
        }
    }
}

/// An endpoint whose keys are looked up has no secrets to judge.
#[test]
fn an_endpoint_with_a_key_source_has_the_notes_of_its_scheme_only() {
    let source = || source_fn(|_| async { Ok(None) });
    let kinds = |provider| {
        let verifier = Verifier::from_key_source(provider, source()).unwrap();
        let notes = verifier.notes().into_iter();
        notes.map(|note| note.kind()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(providers::stripe()), []);
    assert_eq!(
        kinds(Provider::new("acme", timed("{body}"))),
        [NoteKind::UnsignedTimestamp]
    );
}

#[tokio::test]
async fn no_note_or_line_shows_a_secret() {
    const PART: usize = 8;
    // Words, and the beginnings of other credentials, which the sentences have as well.
    let is_word = |part: &String| {
        let is_of_word = |letter| matches!(letter, 'a'..='z' | ' ' | '_');
        part.chars().all(is_of_word)
    };
    let mut parts_seen = 0;
    for setup in of_secrets().iter().chain(&of_several_secrets()) {
        let (notes, lines) = setup.notes().await;
        let mut shown = lines.text();
        notes.iter().for_each(|note| shown.push_str(&note.text));
        let verifier = Verifier::new(setup.provider.clone(), setup.secrets.clone()).unwrap();
        shown.push_str(&format!("{:?} {:?}", verifier.notes(), verifier.keys()));
        let secret = match setup.secrets.len() {
            1 => setup.what,
            _ => "the-first-secret-of-two",
        };
        let letters: Vec<_> = secret.chars().collect();
        let parts = letters.windows(PART).map(String::from_iter);
        for part in parts.filter(|part| !is_word(part)) {
            parts_seen += 1;
            assert!(!shown.contains(&part), "{secret}: {part:?} in {shown}");
        }
    }
    assert!(parts_seen > 500, "{parts_seen}");
}
