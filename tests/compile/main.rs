//! What must not compile, and what the compiler says then.
//!
//! The whole text is the compiler's and may change with it; `TRYBUILD=overwrite cargo test --all-features --test compile`
//! writes it anew. The sentences below have to stay.

use std::path::Path;

/// The sentences that each case has to be told, whatever else a compiler adds.
const SENTENCES: [(&str, &[&str]); 6] = [
    ("event_by_hand", &["of struct `VerifiedEvent` are private"]),
    (
        "event_changed",
        &["field `payload` of struct `VerifiedEvent` is private"],
    ),
    (
        "event_without_check",
        &[
            "named `new` found",
            "named `default` found",
            "`VerifiedEvent: TryFrom<bytes::Bytes>` is not satisfied",
        ],
    ),
    (
        "wrong_payload",
        &[
            "`Order` cannot be read out of a verified event",
            "take `VerifiedEvent<Json<Order>>` with `tower_webhook::Json` (not axum's)",
        ],
    ),
    (
        "wrong_body",
        &[
            "`WebhookVerifyLayer` cannot rebuild a body of type",
            "map the body before the layer",
        ],
    ),
    (
        "wrong_response_body",
        &[
            "`WebhookVerifyLayer` cannot make an empty response body of type `Streamed`",
            "map the body of the service inside",
        ],
    ),
];

#[test]
fn mistakes_do_not_compile_and_name_their_fix() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    drop(cases);
    for (name, sentences) in SENTENCES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/ui")
            .join(name);
        let expected = std::fs::read_to_string(path.with_extension("stderr")).unwrap();
        for sentence in sentences {
            assert!(
                expected.contains(sentence),
                "{name}: {sentence:?} is missing in\n{expected}"
            );
        }
    }
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")).unwrap();
    let cases = files.filter(|file| {
        let path = file.as_ref().unwrap().path();
        path.extension().is_some_and(|extension| extension == "rs")
    });
    assert_eq!(
        cases.count(),
        SENTENCES.len(),
        "each case has its sentences"
    );
}
