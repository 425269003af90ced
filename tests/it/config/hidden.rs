//! No error and no `Debug` shows a secret.

use super::*;

const MARKER: &str = "MARKER-of-the-SECRET-value";

/// A good file with the marker as every secret in it.
const MARKED: &str = r#"
[endpoints.code]
provider = "github"
secret = "MARKER-of-the-SECRET-value"
max_body = "1MiB"
read_timeout = "10s"

[endpoints.orders]
provider = "acme"
tolerance = "5m"
client_id = "MARKER-of-the-SECRET-value"
secrets = [
    { id = "a", value = "MARKER-of-the-SECRET-value" },
    { id = "b", value = "MARKER-of-the-SECRET-value", not_after = "2026-12-01T00:00:00Z" },
    "MARKER-of-the-SECRET-value",
]

[endpoints.table]
provider = "slack"

[endpoints.table.secret]
value = "MARKER-of-the-SECRET-value"
not_before = "2026-12-01T00:00:00Z"

[providers.acme]
algorithm = "hmac-sha256"
signed = "{ts}.{body}"
signature = { header = "X-Acme-Signature", fields = ",", field = "v1", encoding = "hex" }
timestamp = { field = "t", unit = "s", tolerance = "5m" }
require = [{ header = "X-Client", equals = "{param:client_id}" }]
event_type = { json = "/type" }
max_body = "2MiB"
"#;

/// Any piece of the marker that is long enough to be one.
fn shows_the_marker(text: &str) -> bool {
    MARKER.as_bytes().windows(12).any(|piece| {
        text.as_bytes()
            .windows(piece.len())
            .any(|window| window == piece)
    })
}

fn assert_silent(text: &str) {
    match Config::from_toml_str(text) {
        Ok(config) => {
            assert!(
                !shows_the_marker(&format!("{config:?}")),
                "{config:?}\n{text}"
            );
            for name in config.endpoints() {
                let shown = format!("{:?} {:?}", config.endpoint(name), config.layer(name));
                assert!(!shows_the_marker(&shown), "{shown}\n{text}");
            }
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shows_the_marker(&shown), "{shown}\n{text}");
        }
    }
}

/// One careless change to a file.
#[derive(Clone, Debug)]
enum Damage {
    Delete { at: usize },
    Insert { at: usize, what: &'static str },
    Replace { at: usize, what: &'static str },
    DeleteLine { line: usize },
    RepeatLine { line: usize, at: usize },
    SwapLines { one: usize, other: usize },
    SwapKeys { one: usize, other: usize },
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let what = prop::sample::select(vec![
            "\"", "'", "=", "{", "}", "[", "]", ",", ".", "#", "\n", "\\", " ", "\t", "\r", "-",
            "_", "0", "7", "x", "é", "\u{0}", "\"\"\"", "= ", "\" = \"", "true",
        ]);
        let place = any::<usize>();
        prop_oneof![
            place.prop_map(|at| Self::Delete { at }),
            (place, what.clone()).prop_map(|(at, what)| Self::Insert { at, what }),
            (place, what).prop_map(|(at, what)| Self::Replace { at, what }),
            place.prop_map(|line| Self::DeleteLine { line }),
            (place, place).prop_map(|(line, at)| Self::RepeatLine { line, at }),
            (place, place).prop_map(|(one, other)| Self::SwapLines { one, other }),
            (place, place).prop_map(|(one, other)| Self::SwapKeys { one, other }),
        ]
    }

    fn to(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let around = |at: &usize, what: &str, skip: usize| {
            let at = at % letters.len();
            let (before, after) = letters.split_at(at);
            let before: String = before.iter().collect();
            let after: String = after.iter().skip(skip).collect();
            format!("{before}{what}{after}")
        };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let count = lines.len();
        match self {
            Self::Delete { at } => return around(at, "", 1),
            Self::Insert { at, what } => return around(at, what, 0),
            Self::Replace { at, what } => return around(at, what, 1),
            Self::DeleteLine { line } => drop(lines.remove(line % count)),
            Self::RepeatLine { line, at } => lines.insert(at % count, lines[line % count].clone()),
            Self::SwapLines { one, other } => lines.swap(one % count, other % count),
            Self::SwapKeys { one, other } => return swap_keys(text, *one, *other),
        }
        lines.join("\n")
    }
}

/// Exchanges the values of two keys of endpoints, except those that are names and so have to be
/// shown.
fn swap_keys(text: &str, one: usize, other: usize) -> String {
    const SHOWN: [&str; 2] = ["provider", "id"];
    let end = text.find("[providers").unwrap_or(text.len());
    let mut values = Vec::new();
    for (at, _) in text[..end].match_indices(" = \"") {
        let key = text[..at]
            .rsplit([' ', '\n', '{'])
            .next()
            .unwrap_or_default();
        let start = at + " = \"".len();
        if let Some(length) = text[start..].find('"')
            && !SHOWN.contains(&key)
        {
            values.push(start..start + length);
        }
    }
    if values.is_empty() {
        return text.to_owned();
    }
    let (one, other) = (one % values.len(), other % values.len());
    let (first, second) = (
        values[one.min(other)].clone(),
        values[one.max(other)].clone(),
    );
    if first == second {
        return text.to_owned();
    }
    [
        &text[..first.start],
        &text[second.clone()],
        &text[first.end..second.start],
        &text[first],
        &text[second.end..],
    ]
    .concat()
}

#[test]
fn the_marked_file_is_good_and_the_search_finds_the_marker() {
    assert_silent(MARKED);
    load(MARKED);
    assert!(shows_the_marker(&format!("x{MARKER}")));
    assert!(shows_the_marker("R-of-the-SECRET"));
    assert!(!shows_the_marker("MARKER"));
}

#[test]
fn a_secret_under_another_key_is_not_shown() {
    let keys = [
        "secrets",
        "variant",
        "tolerance",
        "max_body",
        "read_timeout",
        "url",
        "client_id",
        "family",
        "missing_status",
        "params",
        "secret = { value",
        "secret = { value = \"another-secret-of-length\", not_before",
        "secret = { value = \"another-secret-of-length\", not_after",
    ];
    let mut shown = Vec::new();
    for key in keys {
        let close = if key.contains('{') { " }" } else { "" };
        for value in [
            format!("\"{MARKER}\""),
            format!("[\"{MARKER}\"]"),
            format!("{{ x = \"{MARKER}\" }}"),
        ] {
            let text = format!("[endpoints.kyc]\nprovider = \"slack\"\n{key} = {value}{close}\n");
            if let Err(error) = Config::from_toml_str(&text)
                && shows_the_marker(&error.to_string())
            {
                shown.push(error.to_string());
            }
        }
    }
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn another_format_shows_no_secret_either() {
    for text in [
        r#"{"endpoints": "MARKER"}"#,
        r#"{"endpoints": {"kyc": "MARKER"}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secret": ["MARKER"]}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secret": {"value": ["MARKER"]}}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secret": {"value": {"x": "MARKER"}}}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secrets": "MARKER"}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secrets": [["MARKER"]]}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "params": "MARKER"}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "params": {"x": [["MARKER"]]}}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "params": {"x": {"y": "MARKER"}}}}}"#,
        r#"{"providers": "MARKER"}"#,
        r#"{"providers": {"acme": "MARKER"}}"#,
        r#"{"providers": {"acme": {"signature": "MARKER"}}}"#,
        r#"{"providers": {"acme": {"require": "MARKER"}}}"#,
    ] {
        let text = text.replace("MARKER", MARKER);
        let error = serde_json::from_str::<Config>(&text)
            .unwrap_err()
            .to_string();
        assert!(!shows_the_marker(&error), "{error}");
    }
}

#[test]
fn a_secret_in_the_place_of_its_variable_is_not_shown() {
    let error = Config::from_toml_str(&github_with(&format!("{{ env = \"{MARKER}\" }}")));
    let text = error.unwrap_err().to_string();
    assert!(!shows_the_marker(&text), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_damage_makes_an_error_show_a_secret(damages in prop::collection::vec(Damage::any(), 1..4)) {
        let damaged = damages.iter().fold(MARKED.to_owned(), |text, damage| damage.to(&text));
        assert_silent(&damaged);
    }
}
