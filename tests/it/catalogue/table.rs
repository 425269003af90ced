//! The page of the guide with all providers is made from what is known of them.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use tower_webhook::providers::{self, Known};

/// Set to anything, this writes the page instead of comparing it.
const UPDATE: &str = "UPDATE_PROVIDERS";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn line(known: &Known) -> String {
    let name = format!("`{}`", known.name());
    let aliases: Vec<String> = known
        .aliases()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let names = if aliases.is_empty() {
        name
    } else {
        format!("{name} ({})", aliases.join(", "))
    };
    let title = match known.docs() {
        Some(url) => format!("[{}]({url})", cell(known.title())),
        None => cell(known.title()),
    };
    format!(
        "| {names} | {title} | {} | {} | {} |\n",
        cell(known.signs()),
        known.replay_window(),
        known.evidence()
    )
}

fn page() -> String {
    let mut groups = BTreeMap::<&str, Vec<Known>>::new();
    let (mut supported, mut unsupported) = (0, Vec::new());
    for known in providers::all() {
        if known.unsupported().is_some() {
            unsupported.push(known);
            continue;
        }
        supported += 1;
        groups.entry(known.group()).or_default().push(known);
    }
    let mut page = format!(
        "The {supported} built-in providers, by category. A name, or one of the aliases in brackets, goes into
`provider` of an endpoint or into [`providers::by_name`](crate::providers::by_name); each provider also
has a [function](crate::providers#functions), whose page says more: the secret, the type and id of
events, pitfalls.

```
use tower_webhook::Config;

let config = Config::from_toml_str(r#\"
    [endpoints.payments]
    provider = \"paystack\"
    secret   = \"the-secret-key-of-the-account\"
\"#)?;
assert_eq!(config.endpoint(\"payments\")?.provider().name(), \"paystack\");
# Ok::<_, tower_webhook::SetupError>(())
```

`ran`: the vendor's own library, or its published example, agreed. `documented`: the vendor's page or
source was read. `reported`: several independent implementations agree. `assumed`: a reading of an
ambiguous page, or of what is remembered of one; a note at startup says so. The replay window is for
how long a captured request can be sent again, and an endpoint can set another `tolerance`.

Where a row signs nothing, or only parts, the endpoint has to set `accept_unsigned_body`: see
[what can be forged](crate::guide::schemes#what-can-be-forged).\n"
    );
    for (group, providers) in groups {
        write!(
            page,
            "\n# {group}\n\n| name | vendor | signature | replay window | evidence |\n| --- | --- | --- | --- | --- |\n"
        )
        .unwrap();
        page.extend(providers.iter().map(line));
    }
    page.push_str(
        "\n# Handshakes\n\nWhat these providers ask an address before they use it, or now and then, and how it is [answered](crate::guide::handshakes). Words in code are headers, fields or settings of the endpoint.\n\n| name | question and answer |\n| --- | --- |\n",
    );
    for known in providers::all().filter(|known| !known.handshake().is_empty()) {
        writeln!(page, "| `{}` | {} |", known.name(), cell(known.handshake())).unwrap();
    }
    page.push_str(
        "\n# Not supported yet\n\nNo description holds these. A verifier for one has to be written by hand.\n\n| name | vendor | signature |\n| --- | --- | --- |\n",
    );
    for known in unsupported {
        let reason = known.unsupported().unwrap();
        writeln!(
            page,
            "| `{}` | {} | {reason} |",
            known.name(),
            cell(known.title())
        )
        .unwrap();
    }
    page
}

#[test]
fn the_page_of_the_guide_has_every_provider() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../src/docs/providers.md");
    let page = page();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let readme = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let count = format!("[{} providers](", providers::names().count());
    assert!(readme.contains(&count), "README.md does not say {count:?}");
    assert!(
        found == page,
        "src/docs/providers.md is not what the rows say; run `just providers`"
    );
}
