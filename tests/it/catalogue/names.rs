//! Names, aliases and what is known of each.

use std::collections::{BTreeMap, BTreeSet};

use tower_webhook::{
    Config, NoteKind, Secret, Verifier,
    providers::{self, Evidence, Known},
};

use crate::vectors::{LEFT_OUT, catalogue};

#[test]
fn every_entry_of_the_catalogue_is_known_by_its_id() {
    let known: BTreeMap<&str, Known> = providers::all().map(|one| (one.name(), one)).collect();
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(id, _)| *id).collect();
    let entries = catalogue();
    for entry in &entries {
        let found = known
            .get(&*entry.id)
            .unwrap_or_else(|| panic!("{}", entry.id));
        let is_left_out = left_out.contains(&*entry.id);
        assert_eq!(found.unsupported().is_some(), is_left_out, "{}", entry.id);
        assert_eq!(providers::by_name(&entry.id).is_none(), is_left_out);
    }
    // Nothing else is known.
    let ids: BTreeSet<&str> = entries.iter().map(|entry| &*entry.id).collect();
    let names: BTreeSet<&str> = known.keys().copied().collect();
    assert_eq!(names, ids);
    assert!(providers::names().count() >= 278 && names.len() >= 300);
}

#[test]
fn names_and_aliases_are_unique_sorted_and_in_lower_case() {
    let mut seen = BTreeSet::new();
    for known in providers::all() {
        assert!(known.aliases().is_sorted(), "{known:?}");
        for name in known.aliases().iter().chain([&known.name()]) {
            assert!(seen.insert(*name), "{name} is there twice");
            let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            assert!(name.bytes().all(is_plain), "{name}");
        }
    }
    let names: Vec<&str> = providers::names().collect();
    assert!(names.is_sorted());
}

#[test]
fn an_alias_leads_to_the_provider_that_users_look_for() {
    for (alias, name) in [
        ("facebook", "meta"),
        ("gitlab", "gitlab-signing"),
        ("hubspot", "hubspot-v3"),
        ("instagram", "meta"),
        ("messenger", "meta"),
        ("stripe-identity", "stripe"),
        ("supabase", "supabase-auth-hooks"),
        ("twitter", "x-twitter"),
        ("whatsapp", "meta"),
    ] {
        assert_eq!(providers::by_name(alias).unwrap().name(), name, "{alias}");
        let config = Config::from_toml_str("").unwrap();
        assert_eq!(config.provider(alias).unwrap().name(), name);
        assert_eq!(providers::find(alias).next().unwrap().name(), name);
    }
    for name in ["clerk", "resend", "openai", "paystack", "linear"] {
        assert_eq!(providers::by_name(name).unwrap().name(), name);
    }
}

#[test]
fn a_search_looks_at_names_aliases_and_titles() {
    let found = |text| {
        let found = providers::find(text).map(|known| known.name());
        found.collect::<Vec<_>>()
    };
    assert_eq!(found("GitLab"), ["gitlab-signing", "gitlab-token"]);
    assert_eq!(found("whats"), ["meta"]);
    assert_eq!(found("Lemon Squeezy"), ["lemonsqueezy"]);
    assert_eq!(found("dodo_payments"), ["dodo-payments"]);
    // What is called so comes first.
    assert_eq!(found("x")[0], "x-twitter");
    assert!(found("zzz").is_empty());
}

#[test]
fn what_is_known_of_a_provider_is_what_it_has() {
    for known in providers::all() {
        let Some(provider) = known.provider() else {
            assert!(known.signs().is_empty() && known.replay_window().is_empty());
            continue;
        };
        assert_eq!(provider.name(), known.name());
        assert_eq!(provider.evidence(), Some(known.evidence()), "{known:?}");
        assert_eq!(provider.docs(), known.docs(), "{known:?}");
        assert!(
            !known.signs().is_empty() && !known.pitfalls().is_empty(),
            "{known:?}"
        );
        if let Some(url) = known.docs() {
            assert!(
                url.parse::<http::Uri>().is_ok() && url.starts_with("https://"),
                "{url}"
            );
        }
    }
}

#[test]
fn a_sender_that_is_not_supported_is_refused_with_the_reason() {
    for known in providers::all() {
        let Some(reason) = known.unsupported() else {
            continue;
        };
        for name in known.aliases().iter().chain([&known.name()]) {
            let text = format!(
                "[endpoints.e]\nprovider = \"{name}\"\nsecret = \"a-secret-of-some-length\"\n"
            );
            let error = Config::from_toml_str(&text).unwrap_err().to_string();
            assert!(
                error.contains("is not supported yet") && error.contains(reason),
                "{error}"
            );
        }
    }
}

/// A later version may have a row of a name that a file uses.
#[test]
fn a_provider_of_the_file_comes_before_a_row() {
    let text = "[providers.paystack]\nalgorithm = \"hmac-sha256\"\nsigned = \"{body}\"\n\
                signature = { header = \"X-Own\", encoding = \"hex\" }\n";
    let config = Config::from_toml_str(text).unwrap();
    let own = config.provider("paystack").unwrap();
    assert!(format!("{own:?}").contains("X-Own"));
    assert_eq!(own.evidence(), None);
    // The ones with modules have readings of their events, which a file cannot give.
    let reserved = text.replace("paystack", "stripe");
    let error = Config::from_toml_str(&reserved).unwrap_err().to_string();
    assert!(error.contains("choose another"), "{error}");
}

#[test]
fn only_assumed_schemes_are_noted() {
    let mut assumed = 0;
    for known in providers::all() {
        let Some(provider) = known.provider() else {
            continue;
        };
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let provider = match known.name() {
            "authenteq" => provider.with_param("client_id", "7"),
            "pomelo" => provider.with_param("endpoint", "/hooks"),
            _ => provider,
        };
        let is_assumed = known.evidence() == Evidence::Assumed;
        let verifier = Verifier::new(provider.clone(), secret.clone())
            .or_else(|_| Verifier::new(provider.accept_unsigned_body(), secret));
        let Ok(verifier) = verifier else {
            continue;
        };
        let notes = verifier.notes();
        let mut kinds = notes.iter().map(|note| note.kind());
        assert_eq!(
            kinds.any(|kind| kind == NoteKind::AssumedScheme),
            is_assumed,
            "{known:?}"
        );
        assumed += usize::from(is_assumed);
    }
    assert!(assumed > 10, "{assumed}");
}
