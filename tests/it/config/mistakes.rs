//! The text of every class of mistake.

use super::*;

/// The text about a mistake at `key` of the endpoint `kyc`, which has `lines`.
fn of_endpoint(key: &str, lines: &str) -> String {
    mistake(
        "endpoint \"kyc\"",
        key,
        &format!("[endpoints.kyc]\n{lines}\n"),
    )
}

/// As [`of_endpoint`], of an endpoint of GitHub with a good secret.
fn of_github(key: &str, line: &str) -> String {
    of_endpoint(
        key,
        &format!("provider = \"github\"\nsecret = \"{SECRET}\"\n{line}"),
    )
}

/// The text about the secret of an endpoint of GitHub.
fn of_secret(secret: &str) -> String {
    of_endpoint(
        "secret",
        &format!("provider = \"github\"\nsecret = {secret}"),
    )
}

/// The text about a mistake at `key` of the provider `acme`, which has `lines`.
fn of_custom(key: &str, lines: &str) -> String {
    mistake("provider \"acme\"", key, &custom(lines))
}

/// The text about a mistake, which must name the place and the key.
fn mistake(place: &str, key: &str, text: &str) -> String {
    let problem = match Config::from_toml_str(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error.to_string(),
    };
    assert!(!problem.contains('\n'), "more than one line: {problem}");
    assert!(problem.contains(place), "does not name {place}: {problem}");
    assert!(problem.contains(key), "does not name {key}: {problem}");
    problem
}

#[test]
fn mistake_unknown_key() {
    assert_snapshot!(of_github("tolerence", "tolerence = \"5m\""), @r#"endpoint "kyc": tolerence: unknown key; did you mean "tolerance"?"#);
    assert_snapshot!(of_secret("{ enviroment = \"X\" }"), @r#"endpoint "kyc": secret: enviroment: unknown key; did you mean "env"?"#);
    assert_snapshot!(of_custom("algo", "algo = \"hmac-sha256\""), @r#"provider "acme": algo: unknown key; did you mean "algorithm"?"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { headr = \"X-Time\" }"), @r#"provider "acme": timestamp: headr: unknown key; did you mean "header"?"#);
    assert_snapshot!(mistake("line 3", "endpoint", "\n\n[endpoint.kyc]\nprovider = \"github\"\n"), @r#"line 3: endpoint: unknown key; did you mean "endpoints"?"#);
}

#[test]
fn mistake_missing_key() {
    assert_snapshot!(of_endpoint("provider", "secret = \"a-secret-of-some-length\""), @r#"endpoint "kyc": provider: missing key; add it"#);
    assert_snapshot!(mistake("provider \"acme\"", "algorithm", "[providers.acme]\nsigned = \"{body}\"\nsignature = { header = \"X\", encoding = \"hex\" }\n"), @r#"provider "acme": algorithm: it is missing; write how the provider signs, or token instead"#);
    assert_snapshot!(of_custom("signature", "signature = { header = \"X-Sig\" }"), @r#"provider "acme": signature: encoding: missing key; add it"#);
}

#[test]
fn mistake_unknown_provider() {
    let provider = |name: &str| {
        of_endpoint(
            "provider",
            &format!("provider = \"{name}\"\nsecret = \"{SECRET}\""),
        )
    };
    assert_snapshot!(provider("vove"), @r#"endpoint "kyc": provider: "vove" is unknown; did you mean "voveid"?"#);
    assert_snapshot!(provider("GitHub"), @r#"endpoint "kyc": provider: "GitHub" is unknown; did you mean "github"?"#);
    assert_snapshot!(provider("standardwebhooks"), @r#"endpoint "kyc": provider: "standardwebhooks" is unknown; did you mean "standard-webhooks"?"#);
    assert_snapshot!(provider("zzz"), @r#"endpoint "kyc": provider: "zzz" is not built in; describe it in [providers.zzz]; the built-in ones are in the guide, on the page "providers""#);
    assert_snapshot!(provider("WhatsApp"), @r#"endpoint "kyc": provider: "WhatsApp" is unknown; did you mean "whatsapp"?"#);
    assert_snapshot!(provider("dodo_payments"), @r#"endpoint "kyc": provider: "dodo_payments" is unknown; did you mean "dodo-payments"?"#);
    assert_snapshot!(provider("jumio"), @r#"endpoint "kyc": provider: "jumio" is not supported yet: nothing is signed"#);
    assert_snapshot!(provider("atlassian-connect"), @r#"endpoint "kyc": provider: "atlassian-connect" is not supported yet: a JSON Web Token with a hash of the query"#);
    // A text that may be a secret is not shown.
    assert_snapshot!(provider("Whsec-of-this-endpoint"), @r#"endpoint "kyc": provider: it is not built in; describe it in [providers.NAME]; the built-in ones are in the guide, on the page "providers""#);
    let near_custom = format!(
        "[endpoints.kyc]\nprovider = \"acne\"\nsecret = \"{SECRET}\"\n{}",
        custom("")
    );
    assert_snapshot!(mistake("endpoint \"kyc\"", "provider", &near_custom), @r#"endpoint "kyc": provider: "acne" is unknown; did you mean "acme"?"#);
    for (name, meant) in [
        ("stirpe", "stripe"),
        ("strip", "stripe"),
        ("githubb", "github"),
        ("gitub", "github"),
        ("Shopfiy", "shopify"),
        ("slak", "slack"),
        ("SVIX", "svix"),
        ("vove-id", "voveid"),
        ("standard_webhooks", "standard-webhooks"),
        ("standard-webhook", "standard-webhooks"),
        ("autheneq", "authenteq"),
    ] {
        let expected = format!("did you mean \"{meant}\"?");
        assert!(provider(name).ends_with(&expected), "{name}");
    }
    // Another vendor, and what is too short to be a typing error.
    for name in ["svx", "git", "spotify"] {
        let problem = provider(name);
        let expected = format!("\"{name}\" is not built in; describe it in [providers.{name}];");
        assert!(problem.contains(&expected), "{problem}");
    }
}

#[test]
fn mistake_unknown_endpoint() {
    let config = load(FILE);
    assert_snapshot!(config.endpoint("ordres").unwrap_err(), @r#"endpoint "ordres" is not configured; did you mean "orders"?"#);
    assert_snapshot!(config.layer("zzz").unwrap_err(), @r#"endpoint "zzz" is not configured; available: code, orders, vove"#);
    assert_snapshot!(load("").endpoint("kyc").unwrap_err(), @r#"endpoint "kyc" is not configured; there are none"#);
}

#[test]
fn mistake_unset_variable() {
    assert_snapshot!(of_secret("{ env = \"TOWER_WEBHOOK_TEST_UNSET\" }"), @r#"endpoint "kyc": secret: environment variable TOWER_WEBHOOK_TEST_UNSET is not set; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("{ env = \"\" }"), @r#"endpoint "kyc": secret: the environment variable is not set, or this is the secret itself rather than its name; it is not shown here"#);
}

#[test]
fn a_secret_file_may_have_almost_64_kibibytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for (length, fits) in [(64 * 1024 - 1, true), (64 * 1024, false)] {
        std::fs::write(&path, "x".repeat(length)).unwrap();
        let text =
            format!("[endpoints.kyc]\nprovider = \"github\"\nsecret = {{ file = {path:?} }}\n");
        assert_eq!(Config::from_toml_str(&text).is_ok(), fits, "{length}");
    }
}

#[test]
fn a_secret_in_the_place_of_its_whereabouts_is_not_shown() {
    for (place, shown) in [
        ("env = \"0A1B2C3D4E5F60718293A4B5\"", None),
        ("env = \"A1B2C3D4E5F60718293A4B5\"", None),
        ("env = \"GEZDGNBVGY3TQOJQ\"", None),
        ("env = \"whsec_MfKQ9r8GKYqrTwjU\"", None),
        ("env = \"NOT_SET_2026\"", Some("NOT_SET_2026")),
        ("env = \"NOTSET\"", Some("NOTSET")),
        ("file = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"", None),
        ("file = \"sixteen-letters-\"", None),
        ("file = \"MfKQ9r8GKYqrTwjUPD/ILPZIo2LaLaSw\"", None),
        ("file = \"secrets/idenfy\"", Some("secrets/idenfy")),
        ("file = \"fifteen-letters\"", Some("fifteen-letters")),
        (
            "file = \"/run/secrets/not-there\"",
            Some("/run/secrets/not-there"),
        ),
        (
            "file = \"not-there-at-all.key\"",
            Some("not-there-at-all.key"),
        ),
    ] {
        let text = of_secret(&format!("{{ {place} }}"));
        let (_, named) = place.split_once(" = ").unwrap();
        let named = named.trim_matches('"');
        assert_eq!(text.contains(named), shown.is_some(), "{text}");
    }
}

#[test]
fn mistake_unreadable_file() {
    let folder = tempfile::tempdir().unwrap();
    let problem = |name: &str| {
        let path = folder.path().join(name);
        let problem = of_secret(&format!("{{ file = {path:?} }}"));
        problem.replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    std::fs::write(folder.path().join("image.png"), [0xff, 0xd8, 0xff]).unwrap();
    std::fs::write(folder.path().join("large"), "x".repeat(64 * 1024)).unwrap();
    std::fs::write(folder.path().join("padded"), "a-secret-of-some-length \n").unwrap();
    assert_snapshot!(problem("missing"), @r#"endpoint "kyc": secret: file FOLDER/missing cannot be read: No such file or directory (os error 2)"#);
    assert_snapshot!(problem("image.png"), @r#"endpoint "kyc": secret: file FOLDER/image.png cannot be read: stream did not contain valid UTF-8"#);
    assert_snapshot!(problem("large"), @r#"endpoint "kyc": secret: file FOLDER/large is too large to be a secret; name the right file"#);
    assert_snapshot!(problem("padded"), @r#"endpoint "kyc": secret (file FOLDER/padded): it begins or ends with white space; remove it"#);
}

#[test]
fn mistake_empty_blank_or_padded_secret() {
    assert_snapshot!(of_secret("\"\""), @r#"endpoint "kyc": secret: it is empty; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("{ value = \"\" }"), @r#"endpoint "kyc": secret: it is empty; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("\" \\t\""), @r#"endpoint "kyc": secret: it is blank; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("\" a-secret-of-some-length\""), @r#"endpoint "kyc": secret: it begins or ends with white space; remove it"#);
    assert_snapshot!(of_secret("\"a-secret-of-some-length\\n\""), @r#"endpoint "kyc": secret: it begins or ends with white space; remove it"#);
}

#[test]
fn mistake_undecodable_or_short_secret() {
    let svix = |secret: &str| {
        of_endpoint(
            "secret",
            &format!("provider = \"svix\"\nsecret = \"{secret}\""),
        )
    };
    assert_snapshot!(svix("whsec_not*base64*at*all"), @r#"endpoint "kyc": secret: it is not base64 after "whsec_" or "v1,whsec_"; copy it again from the provider"#);
    assert_snapshot!(svix("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI|whsec_C2FVsBQIhrscChlQIMV+b5sS"), @r#"endpoint "kyc": secret: it is several secrets, joined by "|"; set each one as a secret of its own"#);
    assert_snapshot!(svix("sk_live_4eC39HqLyjWDarjtT1zdp7dc"), @r#"endpoint "kyc": secret: it begins with sk_, as an API key does; set the secret of this webhook"#);
    assert_snapshot!(svix("whsec_AAAA"), @r#"endpoint "kyc": secret: it has 3 bytes once decoded, and 16 is the least; copy the whole secret"#);
    assert_snapshot!(svix("whsec_"), @r#"endpoint "kyc": secret: it has 0 bytes once decoded, and 16 is the least; copy the whole secret"#);
    let custom = |key: &str, secret: &str| {
        let text = format!(
            "[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{secret}\"\n{}",
            custom(&format!("secret_format = {key}"))
        );
        mistake("endpoint \"kyc\"", "secret", &text)
    };
    assert_snapshot!(custom("{ encoding = \"hex\" }", "0123456789abcdefg"), @r#"endpoint "kyc": secret: it is not hex; copy it again from the provider"#);
    assert_snapshot!(custom("{ min_bytes = 30 }", SECRET), @r#"endpoint "kyc": secret: it has 23 bytes once decoded, and 30 is the least; copy the whole secret"#);
    assert_snapshot!(custom("{ prefix = \"key_\" }", "key_"), @r#"endpoint "kyc": secret: it has 0 bytes once decoded, and 1 is the least; copy the whole secret"#);
}

#[test]
fn mistake_number_of_secrets() {
    assert_snapshot!(of_endpoint("secret", "provider = \"github\""), @r#"endpoint "kyc": secret: none is set; set at least one"#);
    let looked_up = load("[endpoints.kyc]\nprovider = \"github\"\nkey_source = true\n");
    assert_snapshot!(looked_up.layer("kyc").unwrap_err(), @r#"endpoint "kyc": secret: none is set; set at least one"#);
    assert_snapshot!(of_endpoint("secret", "provider = \"github\"\nsecrets = []"), @r#"endpoint "kyc": secret: none is set; set at least one"#);
    assert_snapshot!(of_github("secrets", "secrets = [\"another-secret-of-length\"]"), @r#"endpoint "kyc": secret and secrets are mutually exclusive; move all of them to secrets"#);
    let nine = ["\"a-secret-of-some-length\""; 9].join(", ");
    assert_snapshot!(of_endpoint("secrets", &format!("provider = \"github\"\nsecrets = [{nine}]")), @r#"endpoint "kyc": secrets: there are 9, but at most 8 are allowed; remove old ones"#);
}

#[test]
fn mistake_form_of_a_secret() {
    assert_snapshot!(of_secret("{}"), @r#"endpoint "kyc": secret: the source is missing; add env, file or value"#);
    assert_snapshot!(of_secret("{ id = \"new\" }"), @r#"endpoint "kyc": secret "new": the source is missing; add env, file or value"#);
    assert_snapshot!(of_secret("{ env = \"A\", file = \"b\" }"), @r#"endpoint "kyc": secret: env, file and value are mutually exclusive; keep one"#);
    assert_snapshot!(of_secret("12345678901234567"), @r#"endpoint "kyc": secret: a secret is text; put it in quotes"#);
    assert_snapshot!(of_secret("{ value = 12345678901234567 }"), @r#"endpoint "kyc": secret.value: a secret is text; put it in quotes"#);
    assert_snapshot!(of_secret("1.5"), @r#"endpoint "kyc": secret: a secret is text; put it in quotes"#);
    assert_snapshot!(of_secret("true"), @r#"endpoint "kyc": secret: expected a secret: text in quotes, { env = … } or { file = … }, found a boolean"#);
    assert_snapshot!(of_secret("[\"a-secret-of-some-length\"]"), @r#"endpoint "kyc": secret: expected a secret: text in quotes, { env = … } or { file = … }, found a list"#);
    assert_snapshot!(of_endpoint("secrets", "provider = \"github\"\nsecrets = \"a-secret-of-some-length\""), @r#"endpoint "kyc": secrets: expected a list in square brackets, found text"#);
    assert_snapshot!(of_endpoint("secrets", "provider = \"github\"\nsecrets = { new = \"a-secret-of-some-length\" }"), @r#"endpoint "kyc": secrets: expected a list in square brackets, found a table"#);
}

/// The text about one of two secrets.
fn of_rotation(key: &str, second: &str) -> String {
    let lines = format!(
        "provider = \"github\"\nsecrets = [{{ id = \"new\", value = \"{SECRET}\" }}, {{ id = \"old\", {second} }}]"
    );
    let text = of_endpoint(key, &lines);
    assert!(text.contains("\"old\""), "does not name the secret: {text}");
    text
}

#[test]
fn mistake_in_one_of_several_secrets() {
    assert_snapshot!(of_rotation("secret", "value = \"\""), @r#"endpoint "kyc": secret "old": it is empty; set it to the value the provider shows"#);
    assert_snapshot!(of_rotation("secret", "env = \"TOWER_WEBHOOK_TEST_UNSET\""), @r#"endpoint "kyc": secret "old": environment variable TOWER_WEBHOOK_TEST_UNSET is not set; set it to the value the provider shows"#);
    assert_snapshot!(of_rotation("not_after", "value = \"another-secret-of-length\", not_before = \"2026-12-02T00:00:00Z\", not_after = \"2026-12-01T00:00:00Z\""), @r#"endpoint "kyc": secret "old": not_after is before not_before; swap them"#);
    assert_snapshot!(of_rotation("not_after", "value = \"another-secret-of-length\", not_after = \"2026-12-01\""), @r#"endpoint "kyc": secret "old": not_after: "2026-12-01" is not a date and time; write one such as "2026-12-01T00:00:00Z""#);
    assert_snapshot!(of_rotation("not_before", "value = \"another-secret-of-length\", not_before = \"tomorrow\""), @r#"endpoint "kyc": secret "old": not_before: "tomorrow" is not a date and time; write one such as "2026-12-01T00:00:00Z""#);
}

#[test]
fn an_instant_may_be_a_date_of_toml() {
    let head = sign(providers::github(), SECRET, "body");
    let text = format!(
        "[endpoints.kyc]\nprovider = \"github\"\nsecrets = [\n{{ value = \"{SECRET}\", not_after = 2026-12-01T00:00:00Z }},\n\
         {{ value = \"another-secret-of-some-length\" }}]\n"
    );
    let verifier = load(&text).endpoint("kyc").unwrap();
    let last = UNIX_EPOCH + seconds(1_796_083_200);
    assert!(verdict(&verifier, &head, "body", last).is_ok());
    assert_eq!(
        verdict(&verifier, &head, "body", last + seconds(1)).unwrap_err(),
        RejectionKind::KeyOutsideWindow
    );
}

#[test]
fn mistake_instant() {
    let secret = |rest: &str| of_secret(&format!("{{ value = \"{SECRET}\", {rest} }}"));
    // Without an offset nobody knows which instant it is.
    assert_snapshot!(secret("not_after = 2026-12-01"), @r#"endpoint "kyc": secret: not_after: "2026-12-01" is not a date and time; write one such as "2026-12-01T00:00:00Z""#);
    assert_snapshot!(secret("not_after = { year = 2026 }"), @r#"endpoint "kyc": secret.not_after: expected text in quotes, found a table"#);
}

#[test]
fn mistake_duration() {
    let slack = |line: &str| {
        let key = line.split(' ').next().unwrap();
        of_endpoint(
            key,
            &format!("provider = \"slack\"\nsecret = \"{SECRET}\"\n{line}"),
        )
    };
    assert_snapshot!(slack("tolerance = \"5 bananas\""), @r#"endpoint "kyc": tolerance: "5 bananas" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("tolerance = 300"), @r#"endpoint "kyc": tolerance: "300" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("tolerance = \"-5m\""), @r#"endpoint "kyc": tolerance: "-5m" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("tolerance = \"\""), @r#"endpoint "kyc": tolerance: "" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("read_timeout = \"off\""), @r#"endpoint "kyc": read_timeout: "off" is not a duration; write a number and a unit, as in "30s", "5m" or "1h""#);
    assert_snapshot!(slack("read_timeout = \"0s\""), @r#"endpoint "kyc": read_timeout: "0s" leaves no time for a body to arrive; write a longer duration, such as "10s""#);
    assert_snapshot!(of_custom("read_timeout", "read_timeout = \"soon\""), @r#"provider "acme": read_timeout: "soon" is not a duration; write a number and a unit, as in "30s", "5m" or "1h""#);
    assert_snapshot!(of_custom("tolerance", "timestamp = { header = \"X-Time\", tolerance = \"5\" }"), @r#"provider "acme": timestamp: tolerance: "5" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(of_custom("future", "timestamp = { header = \"X-Time\", future = \"5\" }"), @r#"provider "acme": timestamp: future: "5" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
}

#[test]
fn mistake_size() {
    assert_snapshot!(of_github("max_body", "max_body = \"25 MegaBananas\""), @r#"endpoint "kyc": max_body: "25 MegaBananas" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_github("max_body", "max_body = 0"), @r#"endpoint "kyc": max_body: "0" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_github("max_body", "max_body = -1"), @r#"endpoint "kyc": max_body: "-1" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_github("max_body", "max_body = \"\""), @r#"endpoint "kyc": max_body: "" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_custom("max_body", "max_body = \"lots\""), @r#"provider "acme": max_body: "lots" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
}

#[test]
fn mistake_status() {
    assert_snapshot!(of_custom("success_status", "success_status = 404"), @r#"provider "acme": success_status: 404 is not a success status; write one from 200 to 299"#);
    assert_snapshot!(of_custom("success_status", "success_status = 70000"), @r#"provider "acme": success_status: 70000 is not a success status; write one from 200 to 299"#);
}

#[test]
fn mistake_in_signed_content() {
    let signed = |template: &str| of_custom("signed", &format!("signed = \"{template}\""));
    assert_snapshot!(signed(""), @r#"provider "acme": signed: it is empty; write what is signed, as in "{body}""#);
    assert_snapshot!(signed("{boddy}"), @r#"provider "acme": signed: unknown token {boddy}; did you mean {body}?"#);
    assert_snapshot!(signed("{header}.{body}"), @r#"provider "acme": signed: unknown token {header}; did you mean {header:Name}?"#);
    assert_snapshot!(signed("{header:not a name}.{body}"), @r#"provider "acme": signed: "not a name" is not a valid header name"#);
    assert_snapshot!(signed("{json:id}.{body}"), @r#"provider "acme": signed: "id" is not a JSON pointer; start it with a slash, as in /data/id"#);
    assert_snapshot!(signed("{body|sha512hex}"), @r#"provider "acme": signed: unknown filter "sha512hex"; did you mean "sha256hex"?"#);
    assert_snapshot!(signed("{body"), @r#"provider "acme": signed: a { is not closed; write {{ for a literal brace"#);
    assert_snapshot!(signed("body}"), @r#"provider "acme": signed: a } has no matching {; write }} for a literal brace"#);
    assert_snapshot!(signed("{header:X-Id}"), @r#"provider "acme": signed: it does not cover the body as it is; add {body}, or say covers = "partial" if the provider really signs no more"#);
    assert_snapshot!(signed("{body|lower}"), @r#"provider "acme": signed: it does not cover the body as it is; add {body}, or say covers = "partial" if the provider really signs no more"#);
    assert_snapshot!(signed("{ts}.{body}"), @r#"provider "acme": signed: {ts} needs a timestamp; add where it is, as in timestamp = { header = "X-Timestamp" }"#);
    assert_snapshot!(signed("{field:t}.{body}"), @r#"provider "acme": signed: the signature header has no field "t"; use a header, or a signature with fields"#);
    assert_snapshot!(of_custom("signed", "algorithm = \"sha256\"\nsigned = \"{body}\""), @r#"provider "acme": signed: sha256 has no key of its own, so anybody could compute it; add {secret} where the provider puts it"#);
    assert_snapshot!(of_custom("signed", "algorithm = \"unauthenticated-sha256\"\nsigned = \"{body}{secret}\""), @r#"provider "acme": signed: unauthenticated-sha256 is for content without a secret; use sha256"#);
}

#[test]
fn mistake_in_a_signature() {
    let signature = |inside: &str| of_custom("signature", &format!("signature = {{ {inside} }}"));
    assert_snapshot!(signature("encoding = \"hex\""), @r#"provider "acme": signature: the location is missing; add one of header, headers, query, json and form"#);
    assert_snapshot!(signature("header = \"X-Sig\", headers = [\"X-Two\"], encoding = \"hex\""), @r#"provider "acme": signature: header and headers are mutually exclusive; keep one of header, headers, query, json and form"#);
    assert_snapshot!(signature("headers = [], encoding = \"hex\""), @r#"provider "acme": signature: headers is empty; add at least one name"#);
    assert_snapshot!(signature("header = \"not a name\", encoding = \"hex\""), @r#"provider "acme": signature: "not a name" is not a valid header name"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"base32\""), @r#"provider "acme": signature: unknown encoding "base32"; use hex, base64, base64url or hex-or-base64"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \",\", fields = \",\""), @r#"provider "acme": signature: list, fields and positional are mutually exclusive; keep one"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", fields = \",\""), @r#"provider "acme": signature: fields requires field, the name of the field with the signature; add it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", fields = \",\", field = \"\""), @r#"provider "acme": signature: the field has no name; write the text before the = sign"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", field = \"v1\""), @r#"provider "acme": signature: field is allowed only with fields; remove it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", sets = \" \""), @r#"provider "acme": signature: sets is allowed only with fields; remove it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", first = 1"), @r#"provider "acme": signature: first is allowed only with positional; remove it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \", \""), @r#"provider "acme": signature: list: ", " is not one character"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \"a\""), @r#"provider "acme": signature: 'a' cannot separate signatures in hex; use a space or a punctuation mark that the encoding does not use"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \",\", prefix = \"v1,\""), @r#"provider "acme": signature: "v1," contains the separator ',', so it can never match"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", positional = \",\", first = 100"), @r#"provider "acme": signature: first is 100, and no header has so many items; write the position of the first signature, from 0 to 99"#);
    assert_snapshot!(signature("query = \"\", encoding = \"hex\""), @r#"provider "acme": signature: the name of a query parameter or form field is empty; write it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", positional = \",\", prefix = \"v1=\""), @r#"provider "acme": signature: prefix is allowed only with a whole value or a list; remove it"#);
}

#[test]
fn mistake_in_another_part_of_a_provider() {
    assert_snapshot!(of_custom("algorithm", "algorithm = \"hmac-sha3\""), @r#"provider "acme": algorithm: unknown algorithm "hmac-sha3"; use one of hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha1, hmac-md5, sha256, sha512, sha1, unauthenticated-sha256, ed25519, ecdsa-p256-sha256, ecdsa-p256-sha256-fixed, ecdsa-p256-sha1, ecdsa-p384-sha384-fixed, ecdsa-p521-sha512-fixed, rsa-pkcs1-sha1, rsa-pkcs1-sha256, rsa-pkcs1-sha384, rsa-pkcs1-sha512, rsa-pss-sha512"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = {}"), @r#"provider "acme": timestamp: the location is missing; add one of header, field, query, json and form"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { header = \"X-Time\", field = \"t\" }"), @r#"provider "acme": timestamp: header and field are mutually exclusive; keep one of header, field, query, json and form"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { header = \"X-Time\", unit = \"minutes\" }"), @r#"provider "acme": timestamp: unknown time unit "minutes"; use s, ms, rfc3339, iso-utc or imf-fixdate"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { header = \"not a name\" }"), @r#"provider "acme": timestamp: "not a name" is not a valid header name"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { field = \"t\" }"), @r#"provider "acme": timestamp: the signature header has no field "t"; use a header, or a signature with fields"#);
    assert_snapshot!(of_custom("secret_format", "secret_format = { encoding = \"base32\" }"), @r#"provider "acme": secret_format: unknown encoding "base32"; use text, base64 or hex"#);
    assert_snapshot!(of_custom("secret_format", "secret_format = { prefix = 5 }"), @r#"provider "acme": secret_format.prefix: expected text in quotes, or a list of texts, found a whole number"#);
    assert_snapshot!(of_custom("secret_format", "secret_format = { prefix = [5] }"), @r#"provider "acme": secret_format.prefix: expected text in quotes, found a whole number"#);
    assert_snapshot!(of_custom("secret_format", "secret_format = { derive = \"md5\" }"), @r#"provider "acme": secret_format: unknown derivation "md5"; use sha1, sha256 or nfkd"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"not a name\", equals = \"v1\" }]"), @r#"provider "acme": require: "not a name" is not a valid header name"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"X-Version\", equals = \"\" }]"), @r#"provider "acme": require: header "X-Version" is compared with an empty value; write what it must equal"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"X-Version\", equals = \"{body}\" }]"), @r#"provider "acme": require: header "X-Version" can be compared with text and {param:name}, not with {body}"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"X-Version\" }]"), @r#"provider "acme": require: equals: missing key; add it"#);
    assert_snapshot!(of_custom("covers", "covers = \"some\""), @r#"provider "acme": covers: expected "body" or "partial", found "some""#);
    assert_snapshot!(of_custom("event_type", "event_type = {}"), @r#"provider "acme": event_type: the location is missing; add one of header, json and form"#);
    assert_snapshot!(of_custom("event_type", "event_type = { json = \"type\" }"), @r#"provider "acme": event_type: "type" is not a JSON pointer; start it with a slash, as in /data/id"#);
    assert_snapshot!(of_custom("delivery_id", "delivery_id = { json = \"/id\", header = \"X-Id\" }"), @r#"provider "acme": delivery_id: header and json are mutually exclusive; keep one of header, json and form"#);
    assert_snapshot!(of_custom("delivery_id", "delivery_id = { header = \"not a name\" }"), @r#"provider "acme": delivery_id: "not a name" is not a valid header name"#);
}

#[test]
fn mistake_parameter_that_is_missing() {
    let missing = |key: &str, provider: &str| {
        let text = format!(
            "[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
            custom(provider)
        );
        mistake("endpoint \"kyc\"", key, &text)
    };
    assert_snapshot!(missing("url", "signed = \"{url}{body}\""), @r#"endpoint "kyc": url: the scheme signs the URL; set it to the one that is registered with the provider"#);
    assert_snapshot!(missing("tenant", "signed = \"{param:tenant}{body}\""), @r#"endpoint "kyc": params.tenant: the scheme needs it; set it to the value the provider shows"#);
    assert_snapshot!(missing("client_id", "require = [{ header = \"X-Client\", equals = \"{param:client_id}\" }]"), @r#"endpoint "kyc": params.client_id: the scheme needs it; set it to the value the provider shows"#);
    // All that are missing are named at once.
    let two = custom("signed = \"{param:tenant}{param:account}{body}\"");
    let two = format!("[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{two}");
    assert_snapshot!(Config::from_toml_str(&two).unwrap_err(), @r#"
    endpoint "kyc": params.account: the scheme needs it; set it to the value the provider shows
    endpoint "kyc": params.tenant: the scheme needs it; set it to the value the provider shows
    "#);
}

#[test]
fn mistake_option_that_does_not_apply() {
    assert_snapshot!(of_github("tolerance", "tolerance = \"5m\""), @r#"endpoint "kyc": tolerance: provider github has no timestamp; remove it"#);
    assert_snapshot!(of_github("family", "family = \"kyc\""), @r#"endpoint "kyc": family: unknown key, and provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("missing_status", "missing_status = \"passed\""), @r#"endpoint "kyc": missing_status: unknown key, and provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("client_id", "client_id = \"7\""), @r#"endpoint "kyc": client_id: unknown key, and provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("url", "url = \"https://example.com/hooks\""), @r#"endpoint "kyc": url: unknown key, and provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("params", "params = { tenant = \"7\" }"), @r#"endpoint "kyc": params.tenant: provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("variant", "variant = \"hmac-sha1\""), @r#"endpoint "kyc": variant: "hmac-sha1" is not a variant of provider github, which has hmac-sha256"#);
    let family = format!("provider = \"voveid\"\nsecret = \"{SVIX_SECRET}\"\nfamily = \"kyx\"");
    assert_snapshot!(of_endpoint("family", &family), @r#"endpoint "kyc": family: "kyx" is not one of kyc, aml, kyb"#);
    let missing_status = |value: &str| {
        format!("provider = \"authenteq\"\nsecret = \"{SECRET}\"\nclient_id = \"7\"\n{value}")
    };
    let own = missing_status("missing_status = \"failed\"");
    assert_snapshot!(of_endpoint("missing_status", &own), @r#"endpoint "kyc": missing_status: "failed" is not one of passed"#);
    let parameter = missing_status("params = { missing_status = \"\" }");
    assert_snapshot!(of_endpoint("missing_status", &parameter), @r#"endpoint "kyc": missing_status: "" is not one of passed"#);
    let twice = format!(
        "provider = \"voveid\"\nsecret = \"{SVIX_SECRET}\"\nfamily = \"kyc\"\nparams = {{ family = \"kyb\" }}"
    );
    assert_snapshot!(of_endpoint("family", &twice), @r#"endpoint "kyc": params.family: the parameter is set twice, with different values; keep one"#);
}

#[test]
fn mistake_level_or_test_that_nothing_states() {
    let onfido = |line: &str| format!("provider = \"onfido\"\nsecret = \"{SECRET}\"\n{line}");
    assert_snapshot!(of_github("level", "level = \"id\""), @r#"endpoint "kyc": level: provider github has no such parameter, because its signed events do not say at which level somebody was verified; remove it"#);
    assert_snapshot!(of_github("level", "params = { level = [\"id\"] }"), @r#"endpoint "kyc": params.level: provider github has no such parameter, because its signed events do not say at which level somebody was verified; remove it"#);
    assert_snapshot!(of_github("test", "test = \"accept\""), @r#"endpoint "kyc": test: provider github has no such parameter, because its signed events do not say whether they are tests; remove it"#);
    assert_snapshot!(of_endpoint("level", &onfido("level = 7")), @r#"endpoint "kyc": level: this is a parameter of provider onfido; write it as text in quotes, or a list of texts"#);
    assert_snapshot!(of_endpoint("level", &onfido("level = [7]")), @r#"endpoint "kyc": level: this is a parameter of provider onfido; write it as text in quotes, or a list of texts"#);
    assert_snapshot!(of_endpoint("level", &onfido("level = []")), @r#"endpoint "kyc": level: it is empty, so no verification would be enough; name the levels that are, or remove it"#);
    assert_snapshot!(of_endpoint("level", &onfido("level = \"\"")), @r#"endpoint "kyc": level: it is empty, so no verification would be enough; name the levels that are, or remove it"#);
    assert_snapshot!(of_endpoint("level", &onfido("params = { level = [\"a\", \"\"] }")), @r#"endpoint "kyc": level: it is empty, so no verification would be enough; name the levels that are, or remove it"#);
    assert_snapshot!(of_endpoint("level", &onfido("level = \"a\"\nparams = { level = \"b\" }")), @r#"endpoint "kyc": params.level: the parameter is set twice, with different values; keep one"#);
    let family = format!("provider = \"voveid\"\nsecret = \"{SVIX_SECRET}\"\nfamily = [\"kyc\"]");
    assert_snapshot!(of_endpoint("family", &family), @r#"endpoint "kyc": family: this is a parameter of provider voveid; write it as text in quotes"#);
    let family = format!(
        "provider = \"voveid\"\nsecret = \"{SVIX_SECRET}\"\nparams = {{ family = [\"kyc\"] }}"
    );
    assert_snapshot!(of_endpoint("family", &family), @r#"endpoint "kyc": params.family: expected text in quotes, found a list"#);
}

#[test]
fn a_secret_that_proves_nothing_is_noted() {
    let keyless = format!(
        "[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
        custom("algorithm = \"unauthenticated-sha256\"")
    );
    let verifier = Config::from_toml_str(&keyless)
        .unwrap()
        .endpoint("kyc")
        .unwrap();
    let notes: Vec<_> = verifier.notes().iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        ["an unauthenticated digest proves nothing about the sender: anyone can compute one"]
    );
}

#[test]
fn mistake_wrong_type() {
    assert_snapshot!(of_endpoint("provider", "provider = 5"), @r#"endpoint "kyc": provider: expected text in quotes, found a whole number"#);
    assert_snapshot!(of_github("tolerance", "tolerance = true"), @r#"endpoint "kyc": tolerance: expected text in quotes, found a boolean"#);
    assert_snapshot!(of_github("max_body", "max_body = 1.5"), @r#"endpoint "kyc": max_body: expected text in quotes, found a number"#);
    assert_snapshot!(of_github("url", "url = 5"), @r#"endpoint "kyc": url: unknown key, and provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("params", "params = \"tenant\""), @r#"endpoint "kyc": params: expected a table, as in { key = … }, found text"#);
    assert_snapshot!(of_github("tenant", "params = { tenant = 7 }"), @r#"endpoint "kyc": params.tenant: expected text in quotes, found a whole number"#);
    assert_snapshot!(of_custom("algorithm", "algorithm = 256"), @r#"provider "acme": algorithm: expected text in quotes, found a whole number"#);
    assert_snapshot!(of_custom("signature", "signature = \"X-Sig\""), @r#"provider "acme": signature: expected a table, as in { key = … }, found text"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = \"X-Time\""), @r#"provider "acme": timestamp: expected a table, as in { key = … }, found text"#);
    assert_snapshot!(of_custom("require", "require = \"X-Client\""), @r#"provider "acme": require: expected a list in square brackets, found text"#);
    assert_snapshot!(of_custom("require", "require = { header = \"X-Client\", equals = \"7\" }"), @r#"provider "acme": require: expected a list in square brackets, found a table"#);
    assert_snapshot!(of_custom("header_families", "header_families = \"a-\""), @r#"provider "acme": header_families: expected a list in square brackets, found text"#);
    assert_snapshot!(of_custom("first", "signature = { header = \"X\", encoding = \"hex\", positional = \",\", first = \"1\" }"), @r#"provider "acme": signature.first: expected a whole number, found text"#);
    assert_snapshot!(of_custom("repeats", "signature = { header = \"X\", encoding = \"hex\", repeats = \"yes\" }"), @r#"provider "acme": signature.repeats: expected true or false, found text"#);
    assert_snapshot!(mistake("endpoint \"kyc\"", "table", "[endpoints]\nkyc = \"github\"\n"), @r#"endpoint "kyc": expected a table, as in { key = … }, found text"#);
    assert_snapshot!(mistake("endpoints", "endpoints", "endpoints = \"kyc\"\n"), @"endpoints: expected tables by name, as in [endpoints.NAME], found text");
    assert_snapshot!(mistake("endpoints", "endpoints", "[[endpoints]]\nprovider = \"github\"\n"), @"endpoints: expected tables by name, as in [endpoints.NAME], found a list");
}

#[test]
fn mistakes_of_deliveries() {
    for (lines, problem) in [
        (
            "store = \"disk\"",
            "store: expected \"memory\" or \"redis\"",
        ),
        (
            "store = \"memory\"\nurl = \"redis://127.0.0.1\"",
            "url is allowed only with store = \"redis\"; remove it",
        ),
        (
            "store = \"memory\"\nnamespace = \"billing-production\"",
            "namespace is allowed only with store = \"redis\"; remove it",
        ),
        (
            "store = \"memory\"\nlease = \"soon\"",
            "lease: \"soon\" is not a duration; write a number and a unit, as in \"30s\", \"5m\" or \"1h\"",
        ),
        (
            "store = \"memory\"\non_outage = \"hope\"",
            "on_outage: expected \"refuse\" or \"allow\"",
        ),
        (
            "lease = \"30s\"",
            "store: missing key; write \"memory\", or \"redis\" for several replicas",
        ),
    ] {
        let text = mistake("deliveries", "", &format!("[deliveries]\n{lines}\n"));
        assert!(text.ends_with(problem), "{text}");
    }
    assert_snapshot!(of_github("deduplicate_by", "deduplicate_by = \"scanRef\""), @r#"endpoint "kyc": deduplicate_by: expected "auto", "id", "body" or "body+event-type""#);
}

/// What can work is not refused: see `deliveries_are_built_with_what_the_table_says`.
#[test]
fn settings_that_can_only_fail_are_mistakes() {
    let memory = "[deliveries]\nstore = \"memory\"\n";
    let redis = "[deliveries]\nstore = \"redis\"\nurl = \"redis://host\"\nnamespace = \"n\"\n";
    let window = format!(
        "[endpoints.github]\nprovider = \"github\"\nsecret = \"{SECRET}\"\n\
         [endpoints.payments]\nprovider = \"stripe\"\nsecret = \"{SVIX_SECRET}\"\n"
    );
    let wide = format!("{window}tolerance = \"1h\"\n");
    let custom = custom("retry_horizon = \"0s\"");
    let secret = |first: &str, last: &str| {
        format!(
            "[endpoints.kyc]\nprovider = \"github\"\nsecret = {{ value = \"{SECRET}\", not_before = \"{first}\", not_after = \"{last}\" }}\n"
        )
    };
    let (early, late) = ("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z");
    for (file, line, problem) in [
        (
            memory,
            "max_in_progress = 0",
            "deliveries: max_in_progress: with 0, every event would be refused; write how many may be handled at \
             once, such as 10000, or remove it",
        ),
        (
            memory,
            "max_running = 0",
            "deliveries: max_running: with 0, every event would be refused; write how many handlers may run at \
             once, such as 1000, or remove it",
        ),
        (
            memory,
            "handler_timeout = \"0s\"",
            "deliveries: handler_timeout: \"0s\" leaves handlers no time, so every event would be refused; write a \
             longer duration, such as \"60s\", or remove it",
        ),
        (
            memory,
            "max_completed = 0",
            "deliveries: max_completed: with 0, every retry would be handled again; write how many deliveries to \
             remember, such as 1000000, or remove it",
        ),
        (
            memory,
            "lease = \"99ms\"",
            "deliveries: lease: \"99ms\" is too short to be renewed in time; write \"100ms\" or more, such as \"30s\"",
        ),
        (
            memory,
            "lease = \"0s\"",
            "deliveries: lease: \"0s\" is too short to be renewed in time; write \"100ms\" or more, such as \"30s\"",
        ),
        (
            memory,
            "lifetime = \"0s\"",
            "deliveries: lifetime: \"0s\" is too short to remember a delivery, so every retry would be handled \
             again; write a longer duration, such as \"72h\", or remove it",
        ),
        (
            &format!("{window}{memory}"),
            "lifetime = \"599s\"",
            "deliveries: lifetime: 599s is shorter than the 600s for which endpoint \"payments\" accepts the same request, so \
             a replay would be handled again; write \"600s\" or more, or remove it",
        ),
        (
            &format!("{wide}{memory}"),
            "lifetime = \"1h\"",
            "deliveries: lifetime: 3600s is shorter than the 7200s for which endpoint \"payments\" accepts the same request, so \
             a replay would be handled again; write \"7200s\" or more, or remove it",
        ),
        (
            &custom,
            "",
            "provider \"acme\": retry_horizon: \"0s\" is too short to remember a delivery, so every retry would be handled \
             again; write how long the provider retries, such as \"72h\"",
        ),
        (
            &secret(late, early),
            "",
            "endpoint \"kyc\": secret: not_after is before not_before; swap them",
        ),
        (
            &secret(early, early),
            "",
            "endpoint \"kyc\": secret: not_after equals not_before, so the key has no validity period; set a later not_after",
        ),
        (
            redis,
            "timeout = \"0s\"",
            "deliveries: timeout: \"0s\" leaves Redis no time to answer; write a longer duration, such as \"1s\"",
        ),
    ] {
        let file = format!("{file}{line}\n");
        assert_eq!(mistake("", "", &file), problem, "{file}");
    }
    assert!(redis.contains("namespace"));
}

/// As settings: with each of them every request would be refused.
#[test]
fn schemes_that_no_request_can_satisfy_are_mistakes() {
    let fields = |lines: &str| {
        format!(
            "signature = {{ header = \"X-Sig\", encoding = \"hex\", fields = \",\", field = \"v1\" }}\n{lines}"
        )
    };
    let never = "is compared with a value that no header can have; remove surrounding white space, line breaks and other control characters";
    for (lines, problem) in [
        (
            "require = [{ header = \"X-A\", equals = \"a-credential\\n\" }]".to_owned(),
            format!("require: header \"X-A\" {never}"),
        ),
        (
            "require = [{ header = \"X-A\", equals = \" a-credential\" }]".to_owned(),
            format!("require: header \"X-A\" {never}"),
        ),
        (
            "require = [{ header = \"X-A\", equals = \"1\" }, { header = \"x-a\", equals = \"2\" }]".to_owned(),
            "require: header \"x-a\" is required twice, with different values; keep one".to_owned(),
        ),
        (
            "require = [{ header = \"x-sig\", equals = \"1\" }]".to_owned(),
            "require: header \"x-sig\" carries the signature and cannot be used twice; name another".to_owned(),
        ),
        (
            "signed = \"{ts}.{body}\"\ntimestamp = { header = \"x-sig\" }".to_owned(),
            "timestamp: header \"x-sig\" carries the signature and cannot be used twice; name another".to_owned(),
        ),
        (
            "signed = \"{header:X-Sig}.{body}\"".to_owned(),
            "signed: header \"X-Sig\" carries the signature and cannot be used twice; name another".to_owned(),
        ),
        (
            "signature = { header = \"X-Sig\", encoding = \"hex\", prefix = \" v1=\" }".to_owned(),
            "signature: the prefix \" v1=\" begins with white space or contains a control character, so it can never match".to_owned(),
        ),
        (
            "signature = { header = \"X-Sig\", encoding = \"hex\", list = \",\", prefix = \"v1\\n\" }".to_owned(),
            "signature: the prefix \"v1\\n\" begins with white space or contains a control character, so it can never match".to_owned(),
        ),
        (
            fields("signed = \"{ts}.{body}\"\ntimestamp = { field = \"v1\" }"),
            "timestamp: field \"v1\" carries the signature and cannot be used twice; name another".to_owned(),
        ),
        (
            fields("signed = \"{field:v1}.{body}\""),
            "signed: field \"v1\" carries the signature and cannot be used twice; name another".to_owned(),
        ),
        (
            fields("signed = \"{ts}.{body}\"\ntimestamp = { field = \"t=\" }"),
            "timestamp: field \"t=\" can never match; write the text between the separator and the = sign".to_owned(),
        ),
        (
            fields("signed = \"{field:a,b}.{body}\""),
            "signed: field \"a,b\" can never match; write the text between the separator and the = sign".to_owned(),
        ),
        (
            fields("").replace("\"v1\"", "\" v1\""),
            "signature: field \" v1\" can never match; write the text between the separator and the = sign".to_owned(),
        ),
    ] {
        let text = mistake("provider \"acme\"", "", &custom(&lines));
        assert_eq!(text, format!("provider \"acme\": {problem}"), "{lines}");
    }
    // The same value twice, and what only looks odd.
    load(&custom(
        "require = [{ header = \"X-A\", equals = \"ä \\t1\" }, { header = \"x-a\", equals = \"ä \\t1\" }]",
    ));
    load(&custom(&fields("signed = \"{field:v1 }.{body}\"")));
}

#[test]
fn a_lifetime_may_be_short_where_no_signed_time_limits_replays_or_it_covers_them() {
    let undated = format!("provider = \"github\"\nsecret = \"{SECRET}\"\n");
    let stripe = format!("provider = \"stripe\"\nsecret = \"{SVIX_SECRET}\"\n");
    let acme = format!("provider = \"acme\"\nsecret = \"{SECRET}\"\n");
    let unsigned = custom("timestamp = { header = \"X-Time\" }");
    let no_future = custom(
        "signed = \"{ts}.{body}\"\ntimestamp = { header = \"X-Time\", tolerance = \"1h\", future = \"off\" }",
    );
    for (lifetime, endpoint, provider) in [
        ("1s", &undated, ""),
        ("600s", &stripe, ""),
        ("1s", &format!("{stripe}tolerance = \"off\"\n"), ""),
        ("1s", &format!("{stripe}tolerance = \"0s\"\n"), ""),
        ("1s", &acme, &*unsigned),
        ("1s", &acme, &*no_future),
    ] {
        let file = format!(
            "[deliveries]\nstore = \"memory\"\nlifetime = \"{lifetime}\"\n[endpoints.kyc]\n{endpoint}{provider}"
        );
        load(&file);
    }
    // A configuration that came from elsewhere is not checked as a whole.
    let json = serde_json::json!({
        "endpoints": { "kyc": { "provider": "stripe", "secret": SVIX_SECRET } },
        "deliveries": { "store": "memory", "lifetime": "9m" },
    });
    let config: Config = serde_json::from_value(json).unwrap();
    let error = config.deliveries().unwrap_err().to_string();
    assert!(error.contains("540s is shorter than the 600s"), "{error}");
}
#[test]
fn mistakes_of_deliveries_in_redis() {
    for (lines, problem) in [
        (
            "",
            "url: missing key; write \"redis://host:6379\" or { env = … }",
        ),
        (
            "url = \"redis://host\"",
            "namespace: missing key; write a name for this service and environment, such as \"billing-production\", so that \
             services that share a Redis do not treat each other's events as completed",
        ),
        (
            "url = \"redis://host\"\nnamespace = \" \"",
            "deliveries: redis: the namespace is empty; write a name for this service and environment, such as \"billing-production\"",
        ),
        (
            "max_completed = 5",
            "max_completed is allowed only with store = \"memory\"; remove it",
        ),
        (
            "url = { env = \"NO_SUCH_VARIABLE\" }",
            "url: secret: environment variable NO_SUCH_VARIABLE is not set; set it to the value the provider shows",
        ),
        (
            "namespace = \"n\"\nurl = \"://:a-password@host\"",
            "redis: the URL is invalid; write redis://[user][:password]@host[:port][/database]",
        ),
    ] {
        let text = format!("[deliveries]\nstore = \"redis\"\n{lines}\n");
        let text = mistake("deliveries", "", &text);
        assert!(text.ends_with(problem), "{text}");
        assert!(!text.contains("a-password"), "{text}");
    }
    let old = "[deliveries]\nstore = \"redis\"\nurl = \"redis://host\"\nprefix = \"billing:\"\n";
    assert_snapshot!(mistake("deliveries", "prefix", old), @"deliveries: prefix: unknown key; available: store, url, namespace, timeout, max_in_progress, max_completed, lease, wait, lifetime, max_running, handler_timeout, on_outage");
}

#[test]
fn deliveries_are_built_with_what_the_table_says() {
    let layer = |lines: &str| {
        let text = format!("[deliveries]\nstore = \"memory\"\n{lines}");
        let config = Config::from_toml_str(&text).unwrap();
        format!("{:?}", config.deliveries().unwrap().unwrap())
    };
    assert_snapshot!(layer(""), @"DeliveryLayer { lease: 30s, wait: None, lifetime: None, max_running: 10000, handler_timeout: None, outage_policy: Refuse, .. }");
    assert_snapshot!(
        layer("lease = \"1m\"\nwait = \"0s\"\nlifetime = \"48h\"\non_outage = \"allow\"\nmax_completed = 1\nmax_in_progress = 1\nmax_running = 1\nhandler_timeout = \"1ms\""),
        @"DeliveryLayer { lease: 60s, wait: Some(0ns), lifetime: Some(172800s), max_running: 1, handler_timeout: Some(1ms), outage_policy: Allow, .. }"
    );
    assert_snapshot!(layer("lease = \"100ms\"\nlifetime = \"1s\""), @"DeliveryLayer { lease: 100ms, wait: None, lifetime: Some(1s), max_running: 10000, handler_timeout: None, outage_policy: Refuse, .. }");
    assert!(
        Config::from_toml_str("")
            .unwrap()
            .deliveries()
            .unwrap()
            .is_none()
    );
}

#[test]
fn mistake_provider_with_the_name_of_a_built_in_one() {
    let text = custom("").replace("acme", "stripe");
    assert_snapshot!(mistake("provider \"stripe\"", "provider", &text), @r#"provider "stripe": this is the name of a built-in provider; choose another"#);
}

#[test]
fn mistake_syntax() {
    let syntax = |text: &str| {
        mistake(
            "line 3",
            "",
            &format!("[endpoints.kyc]\nprovider = \"github\"\n{text}\n"),
        )
    };
    assert_snapshot!(syntax("secret = a-secret-of-some-length"), @"line 3: string values must be quoted, expected literal string");
    assert_snapshot!(syntax("secret = \"a-secret-of-some-length"), @r#"line 3: invalid basic string, expected `"`"#);
    assert_snapshot!(syntax("secret \"a-secret-of-some-length\""), @"line 3: key with no value, expected `=`");
    assert_snapshot!(syntax("provider = \"stripe\""), @"line 3: duplicate key");
    assert_snapshot!(syntax("[endpoints.kyc]"), @"line 3: duplicate key");
    assert_snapshot!(syntax("secret = { env = \"A\""), @"line 3: unclosed inline table, expected `}`");
}

#[test]
fn mistake_subject_that_is_no_pointer() {
    let metamap = |line: &str| format!("provider = \"metamap\"\nsecret = \"{SECRET}\"\n{line}");
    assert_snapshot!(of_github("subject", "subject = \"/id\""), @r#"endpoint "kyc": subject: unknown key, and provider github has no such parameter; remove it"#);
    assert_snapshot!(of_endpoint("subject", &metamap("subject = \"metadata.userId\"")), @r#"endpoint "kyc": subject: "metadata.userId" is not a JSON pointer; start it with a slash, as in /data/id"#);
    assert_snapshot!(of_endpoint("subject", &metamap("subject = \"\"")), @r#"endpoint "kyc": subject: "" is not a JSON pointer; start it with a slash, as in /data/id"#);
}

/// Whoever signs the URL signs it from its scheme on, so that another text never matches.
#[test]
fn a_url_that_is_none_is_refused() {
    for provider in ["square", "trello", "hubspot-v2", "twilio"] {
        for url in [
            "example.com/x",
            "/x",
            "ftp://example.com/x",
            "https://",
            "https://a b/",
        ] {
            let text = format!(
                "[endpoints.a]\nprovider = \"{provider}\"\nsecret = {{ value = \"a-secret-of-some-length\" }}\nurl = \"{url}\""
            );
            let error = Config::from_toml_str(&text).unwrap_err().to_string();
            let expected = "url: it is no URL; set the one that is registered with the provider, from https:// on";
            assert!(error.ends_with(expected), "{provider} {url}: {error}");
        }
    }
}
