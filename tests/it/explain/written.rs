//! Bodies as the writers of many languages, shells and gateways write them.

use tower_webhook::explain::Verdict;

use super::faults::{Case, SECRET, check, provider};

/// Signed as one text, and arrived as another.
pub(super) fn changed(signed: &str, came: &str) -> Case {
    Case::of(provider("github"), SECRET, signed).came(came)
}

#[test]
fn the_escapes_and_the_indentation_of_many_writers_are_named() {
    let plain = r#"{"a":"<b>","c":"it's 1=1 & \"so\"","d":"/é"}"#;
    let lists = r#"{"a":[1,{"b":[]}],"c":{}}"#;
    check(vec![
        (
            "upper case",
            changed(
                r#"{"a":"\u003Cb\u003E \u0026 'c'"}"#,
                r#"{"a":"<b> & 'c'"}"#,
            ),
            "json:compact+html-upper",
            "",
        ),
        (
            "JSON_HEX_TAG",
            changed(r#"{"a":"\u003Cb\u003E &"}"#, r#"{"a":"<b> &"}"#),
            "json:compact+php-tags",
            "",
        ),
        (
            "Gson",
            changed(
                r#"{"a":"\u003cb\u003e","c":"it\u0027s 1\u003d1 \u0026 \"so\"","d":"/é"}"#,
                plain,
            ),
            "json:compact+gson",
            "",
        ),
        (
            "Flask",
            changed(
                r#"{"a": "\u003cb\u003e", "c": "it\u0027s 1=1 \u0026 \"so\"", "d": "/\u00e9"}"#,
                plain,
            ),
            "json:python+ascii+html-apostrophes",
            "",
        ),
        (
            "Newtonsoft.Json",
            changed(
                r#"{"a":"\u003cb\u003e","c":"it\u0027s 1=1 \u0026 \u0022so\u0022","d":"/é"}"#,
                plain,
            ),
            "json:compact+html-quotes",
            "",
        ),
        (
            "Symfony",
            changed(
                r#"{"a":"\u003Cb\u003E","c":"it\u0027s 1=1 \u0026 \u0022so\u0022","d":"\/\u00e9"}"#,
                plain,
            ),
            "json:compact+ascii+php-hex+slashes",
            "",
        ),
        (
            "Jackson",
            changed(
                "{\n  \"a\" : [ 1, {\n    \"b\" : [ ]\n  } ],\n  \"c\" : { }\n}",
                lists,
            ),
            "json:jackson",
            "",
        ),
        (
            "Perl",
            changed(
                "{\n   \"a\" : [\n      1,\n      {\n         \"b\" : []\n      }\n   ],\n   \"c\" : {}\n}\n",
                lists,
            ),
            "json:perl",
            "",
        ),
        (
            "json_build_object",
            changed(r#"{"a" : [1, {"b" : []}], "c" : {}}"#, lists),
            "json:json-build-object",
            "",
        ),
        (
            "a space",
            changed("{\n \"a\": 1\n}", r#"{"a":1}"#),
            "json:indent-1",
            "",
        ),
    ]);
}

#[test]
fn the_numbers_of_single_names_are_found() {
    let many: Vec<String> = (0..12)
        .map(|place| format!("\"n{place}\":{place}"))
        .collect();
    let many = format!("{{{},\"id\":7}}", many.join(","));
    let floats = many
        .replace(",\"n", ".0,\"n")
        .replace(",\"id\"", ".0,\"id\"");
    check(vec![
        (
            "two of three",
            changed(
                r#"{"id":7,"total":20.0,"lines":[{"price":5.0},{"price":6.0}]}"#,
                r#"{"id":7,"total":20,"lines":[{"price":5},{"price":6}]}"#,
            ),
            "json:integers-as-floats:total,price",
            "",
        ),
        (
            "money",
            changed(
                r#"{"id": 7, "total": 20.50, "tax": 3.00}"#,
                r#"{"id":7,"total":20.5,"tax":3}"#,
            ),
            "json:two-decimals:total,tax",
            "",
        ),
        (
            "made a float",
            changed(r#"{"id":7,"total":2.0}"#, r#"{"id":7.0,"total":2.0}"#),
            "json:floats-as-integers:id",
            "",
        ),
        (
            "all but one of many",
            changed(&floats, &many),
            "json:integers-as-floats:except:id",
            "",
        ),
    ]);
    let rounded = changed(
        r#"{"id":1234567890123456789}"#,
        r#"{"id":1234567890123456800}"#,
    );
    let rounded = rounded.explained();
    assert_eq!(rounded.verdict(), Verdict::Unexplained, "{rounded}");
    assert!(
        rounded.to_string().contains("JavaScript keeps"),
        "{rounded}"
    );
}

#[test]
fn the_spellings_of_a_form_are_found() {
    check(vec![
        (
            "some marks",
            changed("a=1:2,3&b=x%2Fy+%28z%29", "a=1%3A2%2C3&b=x%2Fy+%28z%29"),
            "form-reencoded:plus+keeps::,",
            "",
        ),
        (
            "a star that is encoded",
            changed("a=x%2A:y", "a=x*%3Ay"),
            "form-reencoded:plus+keeps::",
            "",
        ),
        (
            "Latin-1",
            changed("a=Zo%C3%AB&b=1:2", "a=Zo%EB&b=1:2"),
            "body-charset:read-as-latin1",
            "",
        ),
        (
            "mojibake",
            changed("a=Zo%C3%AB", "a=Zo%C3%83%C2%AB"),
            "body-charset:latin1",
            "",
        ),
    ]);
}

#[test]
fn a_changed_value_is_no_other_spelling() {
    for (signed, came) in [
        ("120.50", "120.504"),
        ("120.50", "120.499"),
        ("100.00", "99.996"),
        ("0.00", "0.004"),
        ("0.00", "1e-400"),
        ("0.1", "0.1000000000000000001"),
    ] {
        let document = |number| format!("{{\"amount\":{number},\"n\":\"x\"}}");
        let report = changed(&document(signed), &document(came)).explained();
        assert_eq!(report.verdict(), Verdict::Unexplained, "{came}: {report}");
    }
}

#[test]
fn bodies_that_languages_and_gateways_write_are_found() {
    let plain = r#"{"b":{"z":1,"y":2},"a":"<x>"}"#;
    let inner = r#"{"Type":"Notification","Message":"{\"a\":1}"}"#;
    let outer = serde_json::json!({"Records": [{"body": inner}]}).to_string();
    let deep = r#"{"x":{"y":{"z":{"a": 1}}}}"#;
    check(vec![
        (
            "CRLF",
            changed("{\n  \"a\": 1\n}", "{\r\n  \"a\": 1\r\n}"),
            "body-line-ends:lf",
            "",
        ),
        (
            "the last CR",
            changed("{\n  \"a\": 1\n}\r\n", "{\n  \"a\": 1\n}\n"),
            "body-line-ends:crlf",
            "",
        ),
        (
            "Windows",
            changed("{\r\n  \"a\": 1\r\n}", r#"{"a":1}"#),
            "json:indent-2-crlf",
            "",
        ),
        (
            "an encoder of Go",
            changed("{\n  \"a\": \"\\u003cx\\u003e\"\n}\n", r#"{"a":"<x>"}"#),
            "json:indent-2+html+newline",
            "",
        ),
        (
            "ksort",
            changed(r#"{"a":"<x>","b":{"z":1,"y":2}}"#, plain),
            "json:sorted-on-top",
            "",
        ),
        (
            "a Buffer",
            changed("{}", "[123,125]"),
            "body-bytes:list",
            "",
        ),
        (
            "numbered bytes",
            changed("{}", r#"{"0":123,"1":125}"#),
            "body-bytes:list",
            "",
        ),
        ("bytea", changed("{}", "\\x7b7d"), "body-bytes:hex", ""),
        (
            "JSON.stringify",
            changed(r#""{\"a\":1}""#, r#"{"a":1}"#),
            "body-signed-encoded:json-string",
            "",
        ),
        (
            "a telephone number",
            changed("From=%2B14155551212&x=1", "From=+14155551212&x=1"),
            "form-plus-lost",
            "",
        ),
        (
            "an envelope in another",
            changed(r#"{"a":1}"#, &outer),
            "body-envelope:/Records/0/body|body-envelope:/Message",
            "",
        ),
        (
            "a part of a part",
            changed(r#"{"a": 1}"#, deep),
            "body-part:/x/y/z",
            "",
        ),
    ]);
}
