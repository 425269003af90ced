//! HTTP message signatures (RFC 9421): what a signature covers, and what is tried with it.

mod places;
mod senders;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use support::{NOW, at};
use tower_webhook::{
    Config, RejectionKind, VerifiedEvent, Verifier, scheme::Coverage, verify::Head,
};

const SECRET: &str = "a-secret-of-some-length-0001";
const BODY: &str = r#"{"id":7}"#;
const STRICT: &str = r#"components = ["@method", "@target-uri", "content-digest"]"#;

/// An endpoint whose provider has these settings.
fn endpoint(settings: &str, lines: &str) -> Verifier {
    let text = format!(
        "[providers.acme.message_signature]\nalgorithms = [\"hmac-sha256\"]\n{settings}\n\
         [endpoints.it]\nprovider = \"acme\"\nsecret = {{ id = \"k1\", value = \"{SECRET}\" }}\n{lines}\n"
    );
    let config = Config::from_toml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    config.endpoint("it").unwrap()
}

/// A request that is changed in one way after the other.
#[derive(Clone)]
struct Message {
    method: &'static str,
    target: &'static str,
    headers: Vec<(String, String)>,
    body: &'static str,
    now: u64,
}

impl Message {
    fn new() -> Self {
        let message = Self {
            method: "POST",
            target: "/hooks?tenant=7",
            headers: Vec::new(),
            body: BODY,
            now: NOW,
        };
        let digest = STANDARD.encode(Sha256::digest(BODY));
        message.with("Content-Digest", &format!("sha-256=:{digest}:"))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    /// The lines of the components, as the standard has them.
    fn lines<'n>(&self) -> Vec<(&'n str, String)> {
        let digest = self
            .headers
            .iter()
            .find(|(name, _)| name == "Content-Digest");
        let digest = digest.map(|(_, value)| value.clone()).unwrap_or_default();
        vec![
            ("\"@method\"", self.method.to_owned()),
            (
                "\"@target-uri\"",
                format!("https://example.com{}", self.target),
            ),
            ("\"content-digest\"", digest),
        ]
    }

    /// Signs these lines, with parameters, by another implementation.
    fn signed(self, label: &str, lines: &[(&str, String)], params: &str) -> Self {
        let names: Vec<_> = lines.iter().map(|(name, _)| *name).collect();
        let inputs = format!("({}){params}", names.join(" "));
        self.signed_as(label, lines, &inputs, &inputs)
    }

    /// Sends other inputs than are signed.
    fn signed_as(self, label: &str, lines: &[(&str, String)], signed: &str, sent: &str) -> Self {
        let mut base = String::new();
        for (name, value) in lines {
            base.push_str(&format!("{name}: {value}\n"));
        }
        base.push_str(&format!("\"@signature-params\": {signed}"));
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        self.with("Signature-Input", &format!("{label}={sent}"))
            .with("Signature", &format!("{label}=:{signature}:"))
    }

    /// With the usual signature.
    fn genuine(self) -> Self {
        let lines = self.lines();
        self.signed("sig1", &lines, &params(""))
    }

    fn head(&self) -> Head<'_> {
        Head::new(&self.headers)
            .with_method(self.method)
            .with_target(self.target)
    }

    fn event(&self, verifier: &Verifier) -> Result<VerifiedEvent, RejectionKind> {
        let head = self.head();
        let verdict = verifier.verify(&head, self.body, at(self.now));
        verdict.map_err(|rejection| rejection.kind())
    }

    fn verdict(&self, verifier: &Verifier) -> Result<(), RejectionKind> {
        self.event(verifier).map(drop)
    }
}

/// The usual parameters, and others.
fn params(others: &str) -> String {
    format!(";created={NOW};keyid=\"k1\"{others}")
}

fn strict() -> Verifier {
    endpoint(STRICT, "url = \"https://example.com/\"")
}

/// What the endpoint requires to be signed tells deliveries apart; each attempt is signed anew.
#[test]
fn deliveries_differ_in_what_has_to_be_signed() {
    let verifier = strict();
    let key = |message: Message, params: &str| {
        let lines = message.lines();
        let signed = message.signed("sig1", &lines, params);
        signed.event(&verifier).unwrap().delivery_key()
    };
    let message = |method, target| Message {
        method,
        target,
        ..Message::new()
    };
    let first = key(Message::new(), &params(""));
    let later = format!(";created={};keyid=\"k1\";nonce=\"2\"", NOW + 5);
    assert_eq!(key(Message::new(), &later), first);
    assert_ne!(key(message("POST", "/hooks?tenant=8"), &params("")), first);
    assert_ne!(key(message("PUT", "/hooks?tenant=7"), &params("")), first);
}

/// A long field is not read for each of many parts of it.
#[test]
fn the_work_for_the_parts_of_a_field_is_bounded() {
    let members: Vec<String> = (0..2400).map(|number| format!("a{number}")).collect();
    let names: Vec<String> = (0..60)
        .map(|number| format!("\"x\";key=\"a{number}\""))
        .collect();
    let verifier = strict();
    for (parts, expected) in [(3, Ok(())), (60, Err(RejectionKind::MalformedHeader))] {
        let message = Message::new().with("X", &members.join(", "));
        let mut lines = message.lines();
        let parts = names.iter().take(parts);
        lines.extend(parts.map(|name| (&**name, "?1".to_owned())));
        let signed = message.signed("sig1", &lines, &params(""));
        assert_eq!(signed.verdict(&verifier), expected);
    }
}

/// The examples of section 2 of the standard, and their values.
#[test]
fn components_have_the_values_of_the_standard() {
    let ows = "  a=1,    b=2;x=1;y=2,   c=(a   b   c), d";
    let form = "/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
    let query = "/path?param=value&foo=bar&baz=batman&qux=";
    let fields: &[(&str, &str)] = &[
        ("X-OWS-Header", "   Leading and trailing whitespace.   "),
        ("Cache-Control", "max-age=60"),
        ("cache-control", "    must-revalidate"),
        ("X-Empty-Header", ""),
        ("Example-Dict", ows),
        ("Example-Header", "value, with, lots"),
        ("Example-Header", "of, commas"),
        ("Other-Header", "value, with, lots, of, commas"),
        ("Priority", " u=1,   i "),
    ];
    for (target, component, expected) in [
        ("/", r#""x-ows-header""#, "Leading and trailing whitespace."),
        ("/", r#""cache-control""#, "max-age=60, must-revalidate"),
        ("/", r#""x-empty-header""#, ""),
        ("/", r#""example-dict""#, ows.trim_start()),
        ("/", r#""example-dict";key="a""#, "1"),
        ("/", r#""example-dict";key="d""#, "?1"),
        ("/", r#""example-dict";key="b""#, "2;x=1;y=2"),
        ("/", r#""example-dict";key="c""#, "(a b c)"),
        ("/", r#""example-header""#, "value, with, lots, of, commas"),
        (
            "/",
            r#""example-header";bs"#,
            ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:",
        ),
        (
            "/",
            r#""other-header";bs"#,
            ":dmFsdWUsIHdpdGgsIGxvdHMsIG9mLCBjb21tYXM=:",
        ),
        ("/", r#""example-dict";key="c";sf"#, "(a b c)"),
        ("/", r#""example-dict";sf;key="c""#, "(a b c)"),
        ("/", r#""priority";sf"#, "u=1, i"),
        (query, r#""@method""#, "POST"),
        (
            query,
            r#""@target-uri""#,
            "https://www.example.com/path?param=value&foo=bar&baz=batman&qux=",
        ),
        (query, r#""@authority""#, "www.example.com"),
        (query, r#""@scheme""#, "https"),
        (query, r#""@request-target""#, query),
        ("/path", r#""@request-target""#, "/path"),
        (query, r#""@path""#, "/path"),
        (
            "/path?param=value&foo=bar&baz=bat%2Dman",
            r#""@query""#,
            "?param=value&foo=bar&baz=bat%2Dman",
        ),
        ("/path", r#""@query""#, "?"),
        (query, r#""@query-param";name="baz""#, "batman"),
        (query, r#""@query-param";name="qux""#, ""),
        (query, r#""@query-param";name="param""#, "value"),
        (
            form,
            r#""@query-param";name="var""#,
            "this%20is%20a%20big%0Amultiline%20value",
        ),
        (
            form,
            r#""@query-param";name="bar""#,
            "with%20plus%20whitespace",
        ),
        (
            form,
            r#""@query-param";name="fa%C3%A7ade%22%3A%20""#,
            "something",
        ),
    ] {
        let setting = format!("components = [{component:?}]");
        let url = "url = \"HTTPS://www.EXAMPLE.com:443\"\naccept_unsigned_body = true";
        let verifier = endpoint(&setting, url);
        let mut message = Message::new();
        message.target = target;
        for (name, value) in fields {
            message = message.with(name, value);
        }
        let sign = |value: &str| {
            let lines = [(component, value.to_owned())];
            message.clone().signed("sig", &lines, &params(""))
        };
        let event = sign(expected).event(&verifier);
        let event = event.unwrap_or_else(|kind| panic!("{component}: {kind}"));
        assert_eq!(event.coverage(), Coverage::None, "{component}");
        let other = sign(&format!("{expected}x")).verdict(&verifier);
        assert_eq!(other, Err(RejectionKind::SignatureMismatch), "{component}");
    }
}

/// Each is signed with the key of the endpoint, so that nothing but the check in question refuses
/// it.
#[test]
fn what_a_signature_says_is_checked() {
    use RejectionKind::{
        MalformedHeader, MalformedSignature, MalformedTimestamp, MissingField, MissingHeader,
        RepeatedField, SignatureMismatch, TimestampInFuture, TimestampTooOld, TooManySignatures,
        UnexpectedClaim,
    };
    let plain = Message::new();
    let lines = plain.lines();
    let usual = params("");
    let with_params = |params: &str| plain.clone().signed("sig1", &lines, params);
    let with_line = |name: &'static str, value: &str| {
        let mut lines = lines.clone();
        lines.push((name, value.to_owned()));
        plain.clone().signed("sig1", &lines, &usual)
    };
    let old = NOW - 301;
    let late = NOW + 301;
    let many = |count: usize| {
        (0..count).fold(plain.clone(), |message, place| {
            message.signed(&format!("sig{place}"), &lines, &usual)
        })
    };
    let cases = [
        ("genuine", plain.clone().genuine(), Ok(())),
        (
            "expires later",
            with_params(&params(&format!(";expires={NOW}"))),
            Ok(()),
        ),
        (
            "a nonce and unknown parameters",
            with_params(&params(";nonce=\"n\";x=1;y")),
            Ok(()),
        ),
        (
            "its algorithm",
            with_params(&params(";alg=\"hmac-sha256\"")),
            Ok(()),
        ),
        (
            "without the id of the key",
            with_params(&format!(";created={NOW}")),
            Ok(()),
        ),
        (
            "more than is required",
            with_line("\"@path\"", "/hooks"),
            Ok(()),
        ),
        (
            "not the method",
            plain.clone().signed("sig1", &lines[1..], &usual),
            Err(MissingField),
        ),
        (
            "not the digest",
            plain.clone().signed("sig1", &lines[..2], &usual),
            Err(MissingField),
        ),
        (
            "nothing",
            plain.clone().signed("sig1", &[], &usual),
            Err(MissingField),
        ),
        (
            "a component twice",
            with_line("\"@method\"", "POST"),
            Err(RepeatedField),
        ),
        (
            "a component twice, by its parameters",
            {
                let lines = [
                    &lines[..],
                    &[
                        ("\"content-digest\";key=\"sha-256\";sf", String::new()),
                        ("\"content-digest\";sf;key=\"sha-256\"", String::new()),
                    ],
                ]
                .concat();
                plain.clone().signed("sig1", &lines, &usual)
            },
            Err(RepeatedField),
        ),
        (
            "the status",
            with_line("\"@status\"", "200"),
            Err(MissingField),
        ),
        (
            "the inputs themselves",
            with_line("\"@signature-params\"", ""),
            Err(MissingField),
        ),
        (
            "an unknown derived component",
            with_line("\"@user\"", "me"),
            Err(MissingField),
        ),
        (
            "of the request",
            with_line("\"@authority\";req", "example.com"),
            Err(MissingField),
        ),
        (
            "of trailers",
            with_line("\"content-digest\";tr", ""),
            Err(MissingField),
        ),
        (
            "a structure that is not known",
            with_line("\"x-a\";sf", ""),
            Err(MissingField),
        ),
        (
            "both sf and bs",
            with_line("\"content-digest\";sf;bs", ""),
            Err(MissingField),
        ),
        (
            "in capitals",
            with_line("\"Content-Digest\"", ""),
            Err(MissingField),
        ),
        (
            "a missing field",
            with_line("\"x-missing\"", ""),
            Err(MissingHeader),
        ),
        (
            "a missing member",
            with_line("\"content-digest\";key=\"md5\"", ""),
            Err(MalformedHeader),
        ),
        (
            "a missing parameter",
            with_line("\"@query-param\";name=\"a\"", ""),
            Err(MissingField),
        ),
        (
            "another algorithm",
            with_params(&params(";alg=\"ed25519\"")),
            Err(MalformedSignature),
        ),
        (
            "an algorithm that is no text",
            with_params(&params(";alg=x")),
            Err(MalformedSignature),
        ),
        (
            "another key",
            with_params(&format!(";created={NOW};keyid=\"k2\"")),
            Err(SignatureMismatch),
        ),
        ("no time", with_params(";keyid=\"k1\""), Err(MissingField)),
        (
            "an old time",
            with_params(&format!(";created={old}")),
            Err(TimestampTooOld),
        ),
        (
            "a late time",
            with_params(&format!(";created={late}")),
            Err(TimestampInFuture),
        ),
        (
            "a time in quotes",
            with_params(&format!(";created=\"{NOW}\"")),
            Err(MalformedTimestamp),
        ),
        (
            "expired",
            with_params(&params(&format!(";expires={}", NOW - 1))),
            Err(TimestampTooOld),
        ),
        (
            "a malformed expiry",
            with_params(&params(";expires=soon")),
            Err(MalformedTimestamp),
        ),
        (
            "no label in common",
            plain
                .clone()
                .genuine()
                .without("Signature")
                .with("Signature", "sig2=:AAAA:"),
            Err(MalformedSignature),
        ),
        (
            "no inputs",
            plain.clone().genuine().without("Signature-Input"),
            Err(MissingHeader),
        ),
        (
            "no signature",
            plain.clone().genuine().without("Signature"),
            Err(MissingHeader),
        ),
        (
            "a signature that is no bytes",
            plain
                .clone()
                .genuine()
                .without("Signature")
                .with("Signature", "sig1=AAAA"),
            Err(MalformedSignature),
        ),
        (
            "a short signature",
            plain
                .clone()
                .genuine()
                .without("Signature")
                .with("Signature", "sig1=:AAAA:"),
            Err(MalformedSignature),
        ),
        (
            "a label twice",
            plain.clone().genuine().genuine(),
            Err(MalformedSignature),
        ),
        (
            "inputs that are no list",
            plain
                .clone()
                .genuine()
                .without("Signature-Input")
                .with("Signature-Input", "sig1=a"),
            Err(MalformedSignature),
        ),
        ("four signatures", many(4), Ok(())),
        ("five signatures", many(5), Err(TooManySignatures)),
        ("seventeen labels", many(17), Err(TooManySignatures)),
        (
            "many components",
            {
                let names: Vec<String> = (0..65).map(|place| format!("\"x-{place}\"")).collect();
                let lines: Vec<(&str, String)> =
                    names.iter().map(|name| (&**name, String::new())).collect();
                plain.clone().signed("sig1", &lines, &usual)
            },
            Err(MalformedHeader),
        ),
        (
            "a long header",
            with_params(&params(&format!(";nonce=\"{}\"", "n".repeat(20_000)))),
            Err(MalformedSignature),
        ),
        (
            "a long field",
            {
                let long = "v".repeat(20_000);
                let message = plain.clone().with("X-Long", &long);
                let mut lines = lines.clone();
                lines.push(("\"x-long\"", long));
                message.signed("sig1", &lines, &usual)
            },
            Err(MalformedHeader),
        ),
        (
            "a line break",
            {
                let message = plain.clone().with("X-Line", "a\n\"x\": b");
                let mut lines = lines.clone();
                lines.push(("\"x-line\"", "a\n\"x\": b".to_owned()));
                message.signed("sig1", &lines, &usual)
            },
            Err(MalformedHeader),
        ),
    ];
    let verifier = strict();
    for (what, message, expected) in cases {
        assert_eq!(message.verdict(&verifier), expected, "{what}");
    }
    let tagged = endpoint(
        &format!("{STRICT}\ntag = \"acme\""),
        "url = \"https://example.com/\"",
    );
    for (others, expected) in [
        (";tag=\"acme\"", Ok(())),
        ("", Err(UnexpectedClaim)),
        (";tag=\"other\"", Err(UnexpectedClaim)),
        (";tag=acme", Err(MalformedSignature)),
    ] {
        assert_eq!(
            with_params(&params(others)).verdict(&tagged),
            expected,
            "{others}"
        );
    }
    // Without a limit, the time may be missing.
    let timeless = endpoint(
        &format!("{STRICT}\ntolerance = \"off\""),
        "url = \"https://example.com/\"",
    );
    assert_eq!(with_params(";keyid=\"k1\"").verdict(&timeless), Ok(()));
    assert_eq!(
        with_params(&format!(";created={old}")).verdict(&timeless),
        Ok(())
    );
    let expired = with_params(&format!(";expires={old}"));
    assert_eq!(expired.verdict(&timeless), Err(TimestampTooOld));
}

/// The inputs are read as a structured field, and signed in one spelling.
#[test]
fn the_spelling_of_inputs_is_not_signed() {
    let plain = Message::new();
    let lines = plain.lines();
    let signed = format!(
        "(\"@method\" \"@target-uri\" \"content-digest\"){}",
        params("")
    );
    for (sent, expected) in [
        (
            format!(
                "(  \"@method\"   \"@target-uri\" \"content-digest\"  ); created={NOW};  keyid=\"k1\""
            ),
            Ok(()),
        ),
        (
            format!(
                "(\"@method\" \"@target-uri\" \"content-digest\");created=1;created={NOW};keyid=\"k1\""
            ),
            Ok(()),
        ),
        // The order is signed.
        (
            format!("(\"@method\" \"@target-uri\" \"content-digest\");keyid=\"k1\";created={NOW}"),
            Err(RejectionKind::SignatureMismatch),
        ),
        (
            format!(
                "(\"@target-uri\" \"@method\" \"content-digest\"){}",
                params("")
            ),
            Err(RejectionKind::SignatureMismatch),
        ),
        (
            format!("(\"@method\"\t\"@target-uri\"){}", params("")),
            Err(RejectionKind::MalformedSignature),
        ),
    ] {
        let message = plain.clone().signed_as("sig1", &lines, &signed, &sent);
        assert_eq!(message.verdict(&strict()), expected, "{sent}");
    }
    // Lines are joined.
    let two = plain
        .clone()
        .genuine()
        .signed("sig2", &lines[..1], &params(""));
    assert_eq!(two.verdict(&strict()), Ok(()));
    // Bytes have several spellings, too.
    let mut padded = plain.genuine();
    for (name, value) in &mut padded.headers {
        if name == "Signature" {
            *value = format!("{};x", value.replace('=', "").replacen("sig1", "sig1=", 1));
        }
    }
    assert_eq!(padded.verdict(&strict()), Ok(()));
}

#[test]
fn what_was_signed_must_be_what_arrives() {
    let genuine = Message::new().genuine();
    let verifier = strict();
    assert_eq!(genuine.verdict(&verifier), Ok(()));
    let changed = |change: fn(&mut Message)| {
        let mut message = genuine.clone();
        change(&mut message);
        message.verdict(&verifier)
    };
    let mismatch = Err(RejectionKind::SignatureMismatch);
    assert_eq!(changed(|message| message.method = "PUT"), mismatch);
    assert_eq!(
        changed(|message| message.target = "/hooks?tenant=8"),
        mismatch
    );
    assert_eq!(changed(|message| message.target = "/hooks"), mismatch);
    assert_eq!(
        changed(|message| message.target = "/other?tenant=7"),
        mismatch
    );
    assert_eq!(changed(|message| message.body = r#"{"id":8}"#), mismatch);
    assert_eq!(changed(|message| message.body = ""), mismatch);
    // Nobody believes these.
    let host = genuine.clone().with("Host", "attacker.example");
    assert_eq!(
        host.with("X-Forwarded-Host", "attacker.example")
            .verdict(&verifier),
        Ok(())
    );
    let elsewhere = endpoint(STRICT, "url = \"https://other.example/\"");
    assert_eq!(genuine.verdict(&elsewhere), mismatch);
}

/// One signature that counts is enough, and none that does not.
#[test]
fn of_several_signatures_one_has_to_count() {
    let plain = Message::new();
    let lines = plain.lines();
    let weak = |message: Message, label: &str| message.signed(label, &lines[..1], &params(""));
    let forged = |message: Message, label: &str| {
        let names = "\"@method\" \"@target-uri\" \"content-digest\"";
        let sent = format!("({names});created={};keyid=\"k1\"", NOW - 7);
        let signature = STANDARD.encode([7; 32]);
        message
            .with("Signature-Input", &format!("{label}={sent}"))
            .with("Signature", &format!("{label}=:{signature}:"))
    };
    let verifier = strict();
    assert_eq!(
        weak(plain.clone(), "a").verdict(&verifier),
        Err(RejectionKind::MissingField)
    );
    let weak_and_forged = forged(weak(plain.clone(), "a"), "b");
    assert_eq!(
        weak_and_forged.verdict(&verifier),
        Err(RejectionKind::SignatureMismatch)
    );
    for message in [
        weak(plain.clone(), "a").genuine(),
        weak(plain.clone().genuine(), "z"),
        forged(plain.clone(), "a").genuine(),
        forged(plain.clone().genuine(), "z"),
    ] {
        let event = message.event(&verifier).unwrap();
        // The time and the delivery are those of the signature that a key has made.
        assert_eq!(event.timestamp(), Some(at(NOW)));
        let alone = plain.clone().genuine().event(&verifier).unwrap();
        assert_eq!(
            event.delivery_key().to_string(),
            alone.delivery_key().to_string()
        );
    }
    // Neither do inputs and signatures of two labels make one.
    let swapped = weak(plain.clone(), "a").genuine();
    let renamed = swapped.headers.into_iter().map(|(name, value)| {
        let value = match &*name {
            "Signature" => value.replace("sig1=", "b=").replace("a=:", "sig1=:"),
            _ => value,
        };
        (name, value)
    });
    let swapped = Message {
        headers: renamed.collect(),
        ..plain.clone()
    };
    assert_eq!(
        swapped.verdict(&verifier),
        Err(RejectionKind::SignatureMismatch)
    );
    // A label that is asked for is the only one.
    let labelled = endpoint(
        &format!("{STRICT}\nlabel = \"acme\""),
        "url = \"https://example.com/\"",
    );
    assert_eq!(
        plain.clone().genuine().verdict(&labelled),
        Err(RejectionKind::MissingField)
    );
    let both = forged(plain.clone(), "other").signed("acme", &lines, &params(""));
    assert_eq!(both.verdict(&labelled), Ok(()));
}

/// A signature of another body, or of a digest that cannot be read, takes nothing from the one
/// beside it that a key has made of less.
#[test]
fn a_digest_counts_for_the_signatures_that_cover_it() {
    let verifier = endpoint("components = [\"@method\"]", "accept_unsigned_body = true");
    let plain = Message::new();
    let (lines, names) = (plain.lines(), "(\"@method\" \"content-digest\")");
    let stranger = |message: Message| {
        let input = format!("b={names}{}", params(""));
        let signature = format!("b=:{}:", STANDARD.encode([7; 32]));
        message
            .with("Signature-Input", &input)
            .with("Signature", &signature)
    };
    for digest in [
        "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:",
        "sha-256=:AAAA:",
        "",
    ] {
        let other = plain
            .clone()
            .without("Content-Digest")
            .with("Content-Digest", digest);
        let both = stranger(other.clone().signed("a", &lines[..1], &params("")));
        assert_eq!(both.verdict(&verifier), Ok(()), "{digest}");
        // Its own digest does count.
        let own = other.lines();
        let covering = [own[0].clone(), own[2].clone()];
        let covering = other.signed("a", &covering, &params(""));
        assert!(covering.verdict(&verifier).is_err(), "{digest}");
    }
}

/// The refusal shown is the one that came furthest, in any order.
#[test]
fn a_refusal_does_not_depend_on_the_order_of_labels() {
    let plain = Message::new();
    let lines = plain.lines();
    let old = format!(";created={};keyid=\"k1\"", NOW - 1000);
    for (first, second) in [("a", "b"), ("b", "a")] {
        let message = plain
            .clone()
            .signed(first, &lines[..1], &params(""))
            .signed(second, &lines, &old)
            .signed("c", &lines, &params(";alg=\"ed25519\""));
        assert_eq!(
            message.verdict(&strict()),
            Err(RejectionKind::TimestampTooOld)
        );
    }
}

/// The signature is of the head, so a wrong one is refused without a body.
#[test]
fn a_wrong_signature_is_refused_before_the_body() {
    let verifier = strict();
    let mut message = Message::new().genuine();
    let head = message.head();
    let checked = verifier.check_head(&head, at(NOW)).unwrap();
    let mut body = checked.with_keys(verifier.keys()).unwrap();
    body.update(BODY.into()).unwrap();
    assert_eq!(body.verify().unwrap().body(), BODY.as_bytes());
    message.target = "/hooks?tenant=8";
    let head = message.head();
    let checked = verifier.check_head(&head, at(NOW)).unwrap();
    let refused = checked.with_keys(verifier.keys()).unwrap_err();
    assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
}

/// A retry is signed anew, and is the same delivery; without a digest, nothing says so.
#[test]
fn a_retry_is_the_same_delivery() {
    let key = |verifier: &Verifier, lines: &[(&str, String)], seconds: u64| {
        let params = format!(";created={}", NOW + seconds);
        let message = Message::new().signed("s", lines, &params);
        message.event(verifier).unwrap().delivery_key().to_string()
    };
    let lines = Message::new().lines();
    let (signed, unsigned) = (
        strict(),
        endpoint("components = [\"@method\"]", "accept_unsigned_body = true"),
    );
    assert_eq!(key(&signed, &lines, 0), key(&signed, &lines, 60));
    assert_ne!(
        key(&unsigned, &lines[..1], 0),
        key(&unsigned, &lines[..1], 60)
    );
}

/// Nothing of a request panics, and none is accepted.
#[test]
fn hostile_headers_are_refused() {
    let verifier = strict();
    let genuine = Message::new().genuine();
    let digits = "9".repeat(16);
    let texts = [
        "",
        "=",
        ",",
        "sig1",
        "sig1=",
        "sig1=()",
        "sig1=(",
        "sig1=(\"",
        "sig1=(\"a\"",
        "sig1=::",
        "sig1=:!:",
        "sig1=:A",
        "sig1=(\"@method\" \"@method\")",
        "sig1=(1 2);created=1",
        "sig1=(\"\");created=1",
        "é",
        "\u{0}",
        "sig1=(\"\\\")",
        "sig1=((\"a\"))",
        "sig1=(@1)",
        "sig1=(%\"a\")",
        "sig1=?1",
        "SIG1=()",
        "sig1=();created=-1",
        "sig1=:AAAA:, sig1=:AAAA:",
    ];
    let long = format!("sig1=();created={digits}");
    for text in texts
        .into_iter()
        .chain([&*long, &"(".repeat(20_000), &"a=1,".repeat(4000)])
    {
        for name in ["Signature", "Signature-Input", "Content-Digest"] {
            let message = genuine.clone().without(name).with(name, text);
            assert!(message.verdict(&verifier).is_err(), "{name}: {text:.40}");
        }
    }
}
