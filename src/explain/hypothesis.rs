//! The hypotheses: each is one entry, with its name, its sentence, its remedy, its rewrite and an
//! example that is its test.

use crate::explain::{body, found::Found, head, scheme, secret, shape::Shape};
#[cfg(test)]
use crate::{
    crypto::encoding::{decode_base64_secret, encode_hex},
    explain::example::{Example, edit},
    scheme::{algorithm::Algorithm, timestamp::TimeUnit},
};

/// A reason why a genuine request does not verify.
pub(crate) struct Hypothesis {
    /// The stable name. What is in upper case stands for a detail.
    pub(crate) name: &'static str,
    pub(crate) sentence: &'static str,
    pub(crate) remedy: &'static str,
    pub(super) rewrite: Rewrite,
    #[cfg(test)]
    pub(super) example: Example,
}

/// What a hypothesis changes. The proof is that the request verifies then.
#[derive(Clone, Copy)]
pub(super) enum Rewrite {
    Secret(secret::Rewrite),
    /// Another secret that is known.
    OtherSecret,
    Body(body::Rewrite),
    /// Tried after the others, because it has so many readings.
    ManyBodies(body::Rewrite),
    /// Headers, or how the provider signs.
    Head(fn(&Shape, &mut head::Sink<'_>)),
    /// The URL, which depends on where the service is mounted.
    Url,
    /// Judged by the verifier once the signature is right.
    Judged,
    /// Shown by the request or the secret, and not proven.
    Evidence,
}

impl Hypothesis {
    pub(super) fn with(&self, detail: impl Into<String>) -> Found {
        Found {
            hypothesis: self.name,
            detail: detail.into(),
        }
    }
}

/// The hypothesis of a name in the list.
pub(super) fn named(name: &str) -> &'static Hypothesis {
    let Some(found) = HYPOTHESES.iter().find(|hypothesis| hypothesis.name == name) else {
        unreachable!("{name} is no hypothesis");
    };
    found
}

macro_rules! hypotheses {
    ($($name:literal by $rewrite:expr, $sentence:literal, do $remedy:literal, example $example:expr;)+) => {
        /// All hypotheses, in the order in which they are tried and named.
        pub(crate) const HYPOTHESES: &[Hypothesis] = &[$(
            Hypothesis {
                name: $name,
                sentence: $sentence,
                remedy: $remedy,
                rewrite: $rewrite,
                #[cfg(test)]
                example: $example,
            },
        )+];
    };
}

use Rewrite::{Body, Evidence, Head, Judged, ManyBodies, OtherSecret, Secret, Url};

hypotheses! {
    // The secret.
    "secret-whitespace" by Secret(secret::whitespace),
        "the configured secret has white space that the provider's does not have",
        do "remove the spaces and line breaks around the secret; write files with printf and not with echo",
        example Example::secret("github", "It is a secret to everybody\n", b"It is a secret to everybody");
    "secret-quoted" by Secret(secret::quoted),
        "the configured secret is in quotation marks, which became part of it",
        do "remove the quotation marks; Docker's --env-file and systemd take them for a part of the value",
        example Example::secret("github", "\"It is a secret to everybody\"", b"It is a secret to everybody");
    "secret-assignment" by Secret(secret::assignment),
        "the configured secret is a whole assignment, with the name of the variable",
        do "keep only what follows the equals sign",
        example Example::secret("github", "WEBHOOK_SECRET=It is a secret", b"It is a secret");
    "secret-comment" by Secret(secret::comment),
        "the configured secret has the comment that is beside it in a file",
        do "remove the comment: Docker's --env-file and systemd know none behind a value",
        example Example::secret("github", "It is a secret # of the tests", b"It is a secret");
    "secret-escaped" by Secret(secret::escaped),
        "the configured secret has escapes that nothing has resolved",
        do "write the characters themselves, and not \\n, \\$, $$ or &amp;",
        example Example::secret("github", "It is $$ a secret", b"It is $ a secret");
    "secret-copied-mark" by Secret(secret::copied),
        "the configured secret ends in what was copied along with it",
        do "remove it: a comma, a semicolon, the % that zsh prints behind an unfinished line, or the same secret once more",
        example Example::secret("github", "It is a secret%", b"It is a secret");
    "secret-invisible-character" by Secret(secret::invisible),
        "the configured secret contains a character that cannot be seen",
        do "type the secret, or copy it from the provider's page and not from a chat or a document",
        example Example::secret("github", "It is a\u{200b} secret", b"It is a secret");
    "secret-percent-encoded" by Secret(secret::percent_encoded),
        "the configured secret is percent-encoded",
        do "decode it: %20 is a space",
        example Example::secret("github", "It%20is%20a%20secret", b"It is a secret");
    "secret-base64-of-text" by Secret(secret::encoded_twice),
        "the configured secret is base64 of the secret, as a Kubernetes manifest has it",
        do "decode it, as often as it was encoded: kubectl get secret NAME -o jsonpath='{.data.KEY}' | base64 -d",
        example Example::secret("github", "SXQgaXMgYSBzZWNyZXQ=", b"It is a secret");
    "secret-prefix:PREFIX:FORM" by Secret(secret::prefix),
        "the provider's key is the secret with or without its prefix, in another form than the one that is expected",
        do "set the secret format of the endpoint, or remove the prefix",
        example Example::secret("svix", "whsec_YW4gaG9uZXN0IGtleSBvZiAyNCBieXRl", b"YW4gaG9uZXN0IGtleSBvZiAyNCBieXRl");
    "secret-as-text" by Secret(secret::as_text),
        "the provider uses the secret as text, undecoded and with its prefix",
        do "set secret_format to text, or report it to the provider, since its documentation says otherwise",
        example Example::secret("svix", "whsec_YW4gaG9uZXN0IGtleSBvZiAyNCBieXRl", b"whsec_YW4gaG9uZXN0IGtleSBvZiAyNCBieXRl");
    "secret-hex" by Secret(secret::hex),
        "the key is the bytes that the secret has in hexadecimal, and not its text",
        do "set secret_format to hex",
        example Example::secret("github", "00112233445566778899aabbccddeeff", b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff");
    "secret-base64" by Secret(secret::base64),
        "the key is the bytes that the secret has in base64, and not its text",
        do "set secret_format to base64",
        example Example::secret("github", "AAECAwQFBgcICQoLDA0ODw==", b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
    "secret-sha256:FORM" by Secret(secret::hashed),
        "the key is the SHA-256 of the secret",
        do "describe the provider with a secret_format that derives the key with SHA-256",
        example Example::secret("github", "It is a secret", b"\xf3\x6f\x10\x69\x1f\xec\x41\x62\x69\x29\x54\xae\xec\x6e\x65\xf7\x82\x99\x8e\x56\xe7\x38\x39\xc4\xb6\x48\x27\x74\x2c\xef\x42\xae");
    "secret-case:CASE" by Secret(secret::letter_case),
        "the configured secret is in the wrong case",
        do "copy the secret again; a form or a script has changed its case",
        example Example::secret("github", "IT IS A SECRET", b"it is a secret");
    "secret-newline-at-vendor" by Secret(secret::newline_at_vendor),
        "the secret at the provider has a line break or a space around it, which was entered with it",
        do "enter the secret at the provider again, without the line break",
        example Example::secret("github", "It is a secret", b"It is a secret\n");
    "other-secret:NAME" by OtherSecret,
        "the request is signed with another secret: that of another endpoint, environment, tenant or tool",
        do "set the secret that the provider shows for this endpoint, or send the request to the endpoint of the other",
        example Example::OtherSecret;
    "key-outside-window:ID" by Judged,
        "the request is signed with a key of this endpoint that is not valid at this time",
        do "extend not_after or not_before of the key, or finish the rotation at the provider",
        example Example::KeyWindow;
    "key-id:ID" by Judged,
        "the request is signed with a key of this endpoint, and names it by another id",
        do "set the id of the key to the one that the request names",
        example Example::KeyId;
    "secret-placeholder" by Evidence,
        "the configured secret looks like a placeholder",
        do "set it to the value that the provider shows",
        example Example::evidence("github", "changeme");
    "secret-api-key" by Evidence,
        "the configured secret looks like another credential of the provider",
        do "set the secret of the webhook, which the provider shows on the page of the endpoint",
        example Example::evidence("stripe", "sk_test_51Habcdefgh");
    "secret-unusable" by Evidence,
        "the configured secret or public key is not of the form that this provider has",
        do "copy it again from the provider's page",
        example Example::evidence("svix", "whsec_!!!");

    // The headers, and how the provider signs.
    "header:NAME" by Head(head::renamed),
        "the signature is in another header than the one that is expected",
        do "find the proxy or tunnel that renames headers, or use the provider whose headers they are",
        example Example::head("github", "header:x-original-hub-signature-256", |headers| {
            for (name, _) in headers.iter_mut().filter(|(name, _)| name == "x-hub-signature-256") {
                "X-Original-Hub-Signature-256".clone_into(name);
            }
        });
    "encoding:ENCODING" by Head(head::respelled),
        "the signature is in another encoding than the one that is expected",
        do "set the encoding of the signature in the description of the provider",
        example Example::head("shopify", "encoding:hex", |headers| {
            edit(headers, "x-shopify-hmac-sha256", |value| {
                encode_hex(&decode_base64_secret(value).unwrap())
            });
        });
    "signature-percent-encoded" by Head(head::respelled),
        "the signature is percent-encoded",
        do "find what encodes the header on the way, such as a tunnel that sends headers in a URL",
        example Example::head("shopify", "signature-percent-encoded", |headers| {
            edit(headers, "x-shopify-hmac-sha256", |value| value.replace('=', "%3D"));
        });
    "signature-plus-lost" by Head(head::respelled),
        "the signature was decoded as a form, so that its plus signs became spaces",
        do "find what decodes the header on its way; a signature is not form-encoded",
        example Example::head("shopify", "signature-plus-lost", |headers| {
            edit(headers, "x-shopify-hmac-sha256", |value| value.replace('+', " "));
        });
    "signature-padding-lost" by Head(head::respelled),
        "the signature has lost the equals signs at its end",
        do "find what removes them on its way, such as a gateway that reads NAME=VALUE in the header",
        example Example::head("shopify", "signature-padding-lost", |headers| {
            edit(headers, "x-shopify-hmac-sha256", |value| value.trim_end_matches('=').to_owned());
        });
    "signature-quoted" by Head(head::respelled),
        "the signature is in quotation marks",
        do "find what adds them on the way",
        example Example::head("github", "signature-quoted", |headers| {
            edit(headers, "x-hub-signature-256", |value| format!("\"{value}\""));
        });
    "signature-whitespace" by Head(head::respelled),
        "there is white space in or around the signature",
        do "find what adds it on the way, or report it to the provider",
        example Example::head("github", "signature-whitespace", |headers| {
            edit(headers, "x-hub-signature-256", |value| value.replace('=', "= "));
        });
    "signature-prefix" by Head(head::respelled),
        "the signature has another prefix than the one that is expected, or none",
        do "set the prefix in the description of the provider, or find what removes it on the way",
        example Example::head("github", "signature-prefix", |headers| {
            edit(headers, "x-hub-signature-256", |value| value.replace("sha256=", ""));
        });
    "header-repeated" by Head(head::once),
        "a header came several times, or with several values",
        do "find the proxy that repeats headers, or joins them with a comma",
        example Example::head("github", "header-repeated", |headers| {
            let line = headers.iter().find(|(name, _)| name == "x-hub-signature-256").cloned();
            headers.extend(line);
        });
    "header-required:NAME" by Head(head::unrequired),
        "the signature is right, and a header does not have the value that the endpoint requires",
        do "set the parameter of the endpoint to the value that the provider sends, or send the request to its endpoint",
        example Example::Required;
    "algorithm:HASH" by Head(scheme::variants),
        "the request is signed with another algorithm",
        do "set the variant of the endpoint, or the algorithm in the description of the provider",
        example Example::scheme("github", "algorithm:sha512", |scheme| {
            scheme.algorithm = Algorithm::HmacSha512;
        });
    "algorithm:HASH:CONTENT" by Head(scheme::digests),
        "the request is signed with a digest over the secret and the content, and not with an HMAC",
        do "describe the provider with this algorithm and content, and ask it to sign with an HMAC",
        example Example::scheme("idenfy", "algorithm:digest-sha256:{secret}{body}", |scheme| {
            scheme.algorithm = Algorithm::Sha256;
            scheme.signed = "{secret}{body}".into();
        });
    "algorithm:OTHER" by Head(scheme::algorithms),
        "the request is signed with another hash",
        do "set the algorithm in the description of the provider",
        example Example::scheme("idenfy", "algorithm:sha1", |scheme| {
            scheme.algorithm = Algorithm::HmacSha1;
        });
    "scheme:CONTENT" by Head(scheme::templates),
        "other content is signed than expected",
        do "set this content as \"signed\" in the description of the provider, and check with its documentation",
        example Example::scheme("stripe", "scheme:{ts}{body}", |scheme| scheme.signed = "{ts}{body}".into());
    "provider:NAME" by Head(scheme::other_providers),
        "it is a request of another provider",
        do "send it to the endpoint of that provider, or set the provider of this endpoint",
        example Example::OtherProvider;
    "timestamp-milliseconds" by Head(scheme::time_units),
        "the timestamp is in milliseconds",
        do "set timestamp.unit to ms in the description of the provider",
        example Example::scheme("slack", "timestamp-milliseconds", |scheme| {
            scheme.timestamp = scheme.timestamp.take().map(|time| time.with_unit(TimeUnit::Milliseconds));
        });
    "timestamp-seconds" by Head(scheme::time_units),
        "the timestamp is in seconds",
        do "set timestamp.unit to s in the description of the provider",
        example Example::TimeUnit(TimeUnit::Milliseconds, TimeUnit::Seconds);
    "timestamp-microseconds" by Judged,
        "the timestamp is in microseconds or nanoseconds",
        do "let the sender write it in the unit that the provider documents, in which no clock accepts this one",
        example Example::Microseconds;
    "timestamp-date" by Head(scheme::time_units),
        "the timestamp is a date",
        do "set timestamp.unit to iso-utc in the description of the provider",
        example Example::TimeUnit(TimeUnit::Seconds, TimeUnit::IsoUtc);
    "url:PARTS" by Url,
        "the provider signed another URL than the one that is configured or seen here",
        do "set the parameter url to the address as it is registered with the provider, not as it is seen behind the proxy",
        example Example::Url;
    "sender-without-secret" by Evidence,
        "the request is signed with a word such as undefined, as of a sender that has lost its secret",
        do "set the secret where the sender reads it, such as in its environment; anybody can sign with such a word",
        example Example::Careless;
    "signature-missing" by Evidence,
        "the request has headers of the provider and no signature",
        do "let the provider sign, with a secret that is set there or its private key, and check that no proxy removes the header",
        example Example::Unsigned;

    // The time.
    "timestamp-timezone" by Judged,
        "the signature is right, and the time is off by as much as a time zone is: a clock shows local time as UTC, or the request waited as long",
        do "check the time zone and the clock of the sender and of this machine; if both are right, let the provider send the request again",
        example Example::Time(7_200);
    "timestamp-old" by Judged,
        "the signature is right, and the request is too old: it was replayed, or waited in a queue",
        do "let the provider send it again, which signs it anew; verify requests of a queue by their time of receipt",
        example Example::Time(90_000);
    "timestamp-future" by Judged,
        "the signature is right, and the time is in the future: a clock is wrong",
        do "synchronise the clock of this machine",
        example Example::Time(-1_000);
    "body-limit" by Judged,
        "the signature is right, and the body is longer than the limit of the endpoint",
        do "raise max_body of the endpoint",
        example Example::TooLong;
    "refused:KIND" by Judged,
        "the signature is right, and the request is refused for another reason",
        do "see the reason of the refusal",
        example Example::Unusable;

    // The body.
    "body-final-newline-lost" by Body(body::newline_lost),
        "the body lost its final line break",
        do "keep the body as it came; a shell, a text field or trim() has removed its end",
        example Example::body(b"{}", b"{}\r\n", "body-final-newline-lost");
    "body-final-newline-added" by Body(body::newline_added),
        "a line break was added to the body",
        do "send and store the body without it: use printf and not echo, and curl --data-binary",
        example Example::body(b"{}\n", b"{}", "body-final-newline-added");
    "body-trimmed" by Body(body::trimmed),
        "there is white space around the body, which was not signed",
        do "keep the body as it came",
        example Example::body(b" {} ", b"{}", "body-trimmed");
    "body-bom" by Body(body::byte_order_mark),
        "there is a byte order mark in front of the body",
        do "remove it: an editor or a file has added it",
        example Example::body(b"\xef\xbb\xbf{}", b"{}", "body-bom");
    "body-bom-lost" by Body(body::lost_mark),
        "the body was signed with a byte order mark, which is not there",
        do "keep the body as it came; reading it as text has removed the mark",
        example Example::body(b"{}", b"\xef\xbb\xbf{}", "body-bom-lost");
    "body-json-string" by Body(body::json_string),
        "the body is a JSON string that holds the body",
        do "send the body itself, and not JSON.stringify of a text",
        example Example::body(b"\"{\\\"a\\\":1}\"", b"{\"a\":1}", "body-json-string");
    "body-envelope:POINTER" by Body(body::envelope),
        "the body is inside another document, as text",
        do "verify the text inside: of a Lambda event its body, of an SNS notification its Message",
        example Example::body(b"{\"version\":\"2.0\",\"body\":\"{\\\"a\\\":1}\"}", b"{\"a\":1}", "body-envelope:/body");
    "body-part:POINTER" by Body(body::part),
        "the body is a part of another document",
        do "keep the request as it came: a dashboard or an API shows a document around the body",
        example Example::body(b"{\"id\":1,\"payload\":{\"a\": 1}}", b"{\"a\":1}", "body-part:/payload");
    "body-base64" by Body(body::base64),
        "the body is in base64",
        do "decode it: API Gateway and other hosts pass bodies on so, and say it in isBase64Encoded",
        example Example::body(b"eyJhIjoxfQ==", b"{\"a\":1}", "body-base64");
    "body-bytes:FORM" by Body(body::listed_bytes),
        "the body came as the numbers of its bytes, or in hexadecimal",
        do "send the bytes themselves: JSON.stringify of a Buffer lists them, and PostgreSQL prints bytea in hexadecimal",
        example Example::body(b"{\"type\":\"Buffer\",\"data\":[123,125]}", b"{}", "body-bytes:list");
    "body-percent-encoded" by Body(body::percent_encoded),
        "the body is percent-encoded as a whole",
        do "set the content type of the request: a client that takes a text for a form encodes it",
        example Example::body(b"%7B%22a%22%3A1%7D=", b"{\"a\":1}", "body-percent-encoded");
    "body-chunked" by Body(body::chunked),
        "the body has the framing of chunks, as it is on the wire",
        do "take the body from a server or a proxy that decodes Transfer-Encoding",
        example Example::body(b"7\r\n{\"a\":1}\r\n0\r\n\r\n", b"{\"a\":1}", "body-chunked");
    "body-longer-than-declared" by Body(body::too_long),
        "there is more in the body than Content-Length announces",
        do "cut it at the announced length; another request or a line break follows it",
        example Example::Longer;
    "body-gzip" by Body(body::gzip),
        "the body is compressed with gzip",
        do "decompress it before it is verified, or configure the proxy not to compress requests",
        example Example::body(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00", b"{\"a\":1}", "body-gzip");
    "body-zstd" by Body(body::zstd),
        "the body is compressed with zstd",
        do "decompress it before it is verified, or configure the proxy not to compress requests",
        example Example::body(b"\x28\xb5\x2f\xfd\x04\x58\x39\x00\x00\x7b\x22\x61\x22\x3a\x31\x7d\x48\x8b\xfc\x32", b"{\"a\":1}", "body-zstd");
    "body-form-field:FIELD" by Body(body::form_field),
        "the body came as a form, and what one of its fields holds was signed",
        do "set the content type at the provider to the one that the service expects, and keep the body as it came",
        example Example::body(b"payload=%7B%22a%22%3A+1%7D", b"{\"a\": 1}", "body-form-field:payload");
    "form-reencoded:STYLE" by Body(body::form_encoded),
        "the form was decoded and encoded again on its way",
        do "keep the bytes of the form as they came: spaces, most marks and hexadecimal digits may be written in several ways",
        example Example::body(b"text=a%20b&cmd=%2Fx", b"text=a+b&cmd=%2Fx", "form-reencoded:plus");
    "body-line-ends:ENDS" by Body(body::line_ends),
        "the line ends of the body were changed",
        do "transfer the body as binary: Git, FTP and editors change line ends",
        example Example::body(b"a\r\nb\r\nc", b"a\nb\nc", "body-line-ends:lf");
    "form-plus-lost" by Body(body::form_plus),
        "a plus sign in the form was taken for a space on its way, or came unencoded",
        do "keep the bytes of the form as they came: %2B is a plus sign, and + is a space",
        example Example::body(b"From=+14155551212", b"From=%2B14155551212", "form-plus-lost");
    "json:compact" by Body(body::json_compact),
        "the body was signed as compact JSON, and was printed anew on its way",
        do "find what reads and writes JSON in front of the service; the signature is over the bytes that were sent",
        example Example::body(b"{\n  \"a\": 1\n}", b"{\"a\":1}", "json:compact");
    "json:indent" by Body(body::json_indented),
        "the body was signed as indented JSON, and was printed anew on its way",
        do "find what reads and writes JSON in front of the service; the signature is over the bytes that were sent",
        example Example::body(b"{\"a\":1}", b"{\n  \"a\": 1\n}", "json:indent-2");
    "json:python" by Body(body::json_python),
        "the body was signed as Python's json.dumps prints it",
        do "find what reads and writes JSON on the way; a sender in Python has to sign the bytes that it sends",
        example Example::body(b"{\"a\":1,\"b\":2}", b"{\"a\": 1, \"b\": 2}", "json:python");
    "json:ascii" by Body(body::json_ascii),
        "the body was signed with more characters as escapes, such as those beyond ASCII",
        do "find what reads and writes JSON in front of the service, and keep the bytes as they came",
        example Example::body("{\"a\":\"\u{eb}\"}".as_bytes(), b"{\"a\":\"\\u00eb\"}", "json:compact+ascii");
    "json:slashes" by Body(body::json_slashes),
        "the body was signed with escaped slashes, as PHP prints them",
        do "find what reads and writes JSON in front of the service, and keep the bytes as they came",
        example Example::body(b"{\"a\":\"/x\"}", b"{\"a\":\"\\/x\"}", "json:compact+slashes");
    "json:html" by Body(body::json_html),
        "the body was signed with <, > and & as escapes, as Go, Rails, PHP and Gson print them",
        do "find what reads and writes JSON in front of the service, and keep the bytes as they came",
        example Example::body(b"{\"a\":\"<&>\"}", b"{\"a\":\"\\u003c\\u0026\\u003e\"}", "json:compact+html");
    "json:sorted" by Body(body::json_sorted),
        "the body was signed with its keys in alphabetical order",
        do "find what sorts the keys, such as a JSON value of serde_json without preserve_order, or a sender that signs other bytes than it sends",
        example Example::body(b"{\"b\":1,\"a\":2}", b"{\"a\":2,\"b\":1}", "json:sorted");
    "json:jsonb" by Body(body::json_jsonb),
        "the body was signed with its keys in the order of PostgreSQL's jsonb",
        do "store the body as bytea or text: jsonb keeps neither order nor spaces",
        example Example::body(b"{\"bb\":1,\"c\":2}", b"{\"c\": 2, \"bb\": 1}", "json:jsonb");
    "json:numbers" by Body(body::json_numbers),
        "the body was signed with its numbers written in another way",
        do "find what reads and writes JSON in front of the service: JavaScript writes 1.0 as 1",
        example Example::body(b"{\"a\":1}", b"{\"a\":1.0}", "json:integers-as-floats");
    "form-wrapped:FIELD" by Body(body::form_wrapped),
        "the body was signed as a form, of which one field holds what came",
        do "pass the form on as it came; what is in front of the service has taken the field out",
        example Example::body(b"{\"a\": 1}", b"payload=%7B%22a%22%3A+1%7D", "form-wrapped:payload");
    "body-charset:SET" by Body(body::charset),
        "the body was read in another character set than it was written in",
        do "keep the bytes of the body; if it has to be text, read it as UTF-8",
        example Example::body("Zo\u{c3}\u{ab} \u{e2}\u{20ac}\u{201c}".as_bytes(), "Zo\u{eb} \u{2013}".as_bytes(), "body-charset:cp1252");
    "body-charset:UTF16" by Body(body::utf16),
        "the body was signed in another form of Unicode",
        do "keep the bytes of the body; PowerShell and Windows write UTF-16",
        example Example::body(b"{\"a\":1}", b"{\0\"\0a\0\"\0:\x001\0}\0", "body-charset:utf-16le");
    "body-deflate" by Body(body::deflate),
        "the body is compressed with deflate",
        do "decompress it before it is verified, or configure the proxy not to compress requests",
        example Example::body(b"\x78\x9c\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\x08\x2a\x02\x09", b"{\"a\":1}", "body-deflate");
    "body-brotli" by Body(body::brotli),
        "the body is compressed with brotli",
        do "decompress it before it is verified, or configure the proxy not to compress requests",
        example Example::body(b"\x0b\x03\x80{\"a\":1}\x03", b"{\"a\":1}", "body-brotli");
    "body-object" by Body(body::object),
        "the sender signed the text that JavaScript or PHP has for an object, and not the body",
        do "sign JSON.stringify(body), or better the bytes that are sent",
        example Example::body(b"{\"a\":1}", b"[object Object]", "body-object");
    "body-signed-encoded:FORM" by Body(body::encoded),
        "the sender signed the body in another encoding than it sent it",
        do "sign the bytes that are sent, and not JSON.stringify of a text or its hexadecimal",
        example Example::body(b"{\"a\":1}", b"\"{\\\"a\\\":1}\"", "body-signed-encoded:json-string");
    "body-empty" by Body(body::empty),
        "nothing was signed: the body had been consumed before it was signed",
        do "sign the body before it is read elsewhere, in the sender or the test",
        example Example::body(b"{\"a\":1}", b"", "body-empty");
    "json:TWO" by ManyBodies(body::json_two),
        "the body was printed anew on its way, in another style",
        do "find what reads and writes JSON in front of the service; the signature is over the bytes that were sent",
        example Example::body(b"{\"b\":1,\"a\":\"\\/\"}", b"{\n  \"a\": \"/\",\n  \"b\": 1\n}", "json:indent-2+sorted");
    "json:NUMBERS:NAMES" by ManyBodies(body::json_some_numbers),
        "the body was signed with the numbers of some names written in another way",
        do "find what reads and writes JSON in front of the service: JavaScript writes 1.0 as 1, and 1.50 as 1.5",
        example Example::body(b"{\"id\":1,\"total\":20}", b"{\"id\":1,\"total\":20.0}", "json:integers-as-floats:total");
    "json:SEVERAL" by ManyBodies(body::json_all),
        "the body was printed anew on its way, in a style that differs in several ways",
        do "find what reads and writes JSON in front of the service; the signature is over the bytes that were sent",
        example Example::body(b"{\"b\":1,\"a\":\"/<\"}", b"{\"a\":\"\\/\\u003c\",\"b\":1.0}", "json:sorted+integers-as-floats+html+slashes");
    "body-lossy" by Evidence,
        "characters of the body were lost when it was read as text",
        do "capture the request again, and keep the bytes of the body as they came",
        example Example::Lost(b"{\"a\":\"\xef\xbf\xbd\"}");
    "body-truncated" by Evidence,
        "the end of the body is missing",
        do "capture the request again, and find what cuts the body: a limit on its way, or a reader that has consumed it",
        example Example::Lost(b"{\"a\":[1,");
}
