//! The exact text of one rejection for each hint, and of each kind of note.

use insta::assert_snapshot;
use tower_webhook::{Hint, NoteKind};

use super::{
    hosts::{Host, cut_off},
    notes::setups,
    table::rows,
};

#[tokio::test]
async fn the_text_of_each_hint() {
    let rows = rows();
    let mut texts = String::new();
    for hint in Hint::ALL {
        let row = rows
            .iter()
            .find(|row| row.about == hint.as_str() && row.has_hint());
        let rejection = match row {
            Some(row) => row.site.refuse(&row.request),
            None => cut_off(Host::Tower, 9).await.rejection.unwrap(),
        };
        assert!(
            rejection.hints().any(|given| given == *hint),
            "{hint}: {rejection}"
        );
        texts.push_str(&format!("{hint}: {rejection}\n"));
    }
    assert_snapshot!(texts, @r#"
    foreign_header: a required header is missing (header Idenfy-Signature); it has Stripe-Signature, a header of stripe: check the URL that is set there, and `provider` here
    unsigned_sender: a required header is missing (header X-Hub-Signature-256); it has X-GitHub-Event, a header of the provider: set the secret at the provider, so that it signs
    older_signature: a required header is missing (header X-Hub-Signature-256); it has X-Hub-Signature, an older signature that is not accepted
    safe_method: a required header is missing (header X-Hub-Signature-256); a GET, HEAD or OPTIONS carries no event: it is a browser, a health check, or a check of the address, which a route of your own can answer
    folded_lines: duplicate header (header X-Hub-Signature-256); a proxy has folded several lines of the header into one
    undecoded_signature: the signature matches no key of this endpoint (header svix-signature) (2 bytes); one of the signatures cannot be decoded; this endpoint has verified nothing since it started: suspect the secret
    other_length: no signature can be decoded (header Idenfy-Signature) (128 bytes); the signature has 128 hex digits (SHA-512), and the scheme expects 64 hex digits (SHA-256); this endpoint has verified nothing since it started: compare the header with the provider's page, and check `provider`
    other_encoding: no signature can be decoded (header Idenfy-Signature) (44 bytes); the signature is padded base64, and the scheme expects hex; this endpoint has verified nothing since it started: compare the header with the provider's page, and check `provider`
    prefix_missing: no signature can be decoded (header X-Hub-Signature-256) (64 bytes); nothing in the header begins with "sha256="; this endpoint has verified nothing since it started: compare the header with the provider's page, and check `provider`
    unknown_key_id: the signature matches no key of this endpoint (2 bytes); the request names a key that this endpoint does not have: the provider has changed its keys, or another sender signed it; compare the `id` of the key with the request; this endpoint has verified nothing since it started: suspect the secret
    other_unit: the timestamp is too far in the future (header Stripe-Signature) (1698300000000 s from the clock); the time is plausible in milliseconds, and the scheme expects seconds: check `unit` of the scheme, or what sends here
    clock: the timestamp is too old (header svix-timestamp) (301 s from the clock); check the clock of this machine, and whether requests wait in a queue
    max_body: the body exceeds the limit (101 bytes); the limit is 100 bytes; raise `max_body` if the provider sends longer bodies
    outer_limit: the body exceeds the limit; the limit is one of a layer outside of this one
    length_differs: the signature matches no key of this endpoint (2 bytes); Content-Length declared 15 bytes: something in front changed the body; this endpoint has verified nothing since it started
    body_empty: the signature matches no key of this endpoint (0 bytes); the body is empty: something in front consumed it, or the sender sent none; this endpoint has verified nothing since it started
    body_compressed: the signature matches no key of this endpoint (14 bytes); the body is compressed: if a proxy or the sender compressed it after it was signed, decompress it outside of this layer; this endpoint has verified nothing since it started
    body_decompressed: the signature matches no key of this endpoint (7 bytes); Content-Encoding names a compression, and the body is not compressed: something in front decompressed it; this endpoint has verified nothing since it started
    body_base64: the signature matches no key of this endpoint (12 bytes); the body is base64: a gateway encoded it; decode it outside of this layer; this endpoint has verified nothing since it started
    body_quoted: the signature matches no key of this endpoint (11 bytes); the body is a JSON string that contains JSON: something in front serialised it again; this endpoint has verified nothing since it started
    body_wrapped: the signature matches no key of this endpoint (57 bytes); the body is the envelope of a gateway or a queue; unwrap it outside of this layer; this endpoint has verified nothing since it started
    body_form: the body lacks a value that the scheme signs, or has it twice (26 bytes); the body is a form
    body_other_type: the signature matches no key of this endpoint (7 bytes); the body does not look like its Content-Type: something in front changed one of them; this endpoint has verified nothing since it started
    never_verified: the signature matches no key of this endpoint (2 bytes); this endpoint has verified nothing since it started: suspect the secret
    verified_before: the signature matches no key of this endpoint (2 bytes); this endpoint has verified 1 request since it started: suspect the body, or a key that was rotated
    cli_secret: the signature matches no key of this endpoint (2 bytes); this endpoint has verified nothing since it started: suspect the secret; `stripe listen` signs with a secret of its own, which it prints
    handshake: a required header is missing (header X-Hub-Signature); the provider asks whether it may use this address: put a HandshakeLayer outside of the WebhookVerifyLayer, or take the route of Config::route
    "#);
}

#[tokio::test]
async fn the_text_of_each_note() {
    let setups = setups();
    let mut texts = String::new();
    for kind in NoteKind::ALL {
        let mut setups = setups.iter();
        let setup = setups.find(|setup| setup.about == *kind && setup.has_note());
        for note in setup.unwrap().notes().await.0 {
            texts.push_str(&format!("{}: {}\n", note.kind, note.text));
        }
    }
    assert_snapshot!(texts, @r#"
    short_secret: secret: it has fewer than 16 bytes; a longer one is harder to guess
    unauthenticated_digest: an unauthenticated digest proves nothing about the sender: anyone can compute one
    length_extension: a plain digest whose content continues after the secret is open to length extension: anyone who saw one request can append to it
    assumed_scheme: how this provider signs is assumed: compare it with a genuine delivery before you rely on it, and report what you find
    placeholder_secret: secret: it is a variable that nothing has expanded, a masked text or a placeholder; set it to the value the provider shows
    quoted_secret: secret: it is in quotation marks, which belong to the secret then; remove them
    assigned_secret: secret: it is a whole assignment; keep only what follows the equals sign
    invisible_character: secret: it contains a character that cannot be seen; type it again, or remove the character
    url_secret: secret: it is a URL; set it to the secret that the provider shows for it
    other_credential: secret: it begins with sk_, as an API key does; set the secret of this webhook
    unusual_secret: secret: it does not begin with whsec_, as the secrets of this provider do; copy it again
    expired_certificate: public key: its certificate has expired; ask the provider for the current one
    repeated_secret: secret: it is the same as an earlier one; remove one, or set the other secret of the rotation
    repeated_id: secret "2026": an earlier secret has the same id, so that logs and counters cannot tell them apart; rename one
    unsigned_timestamp: the timestamp is not part of the signed content, so anyone who has captured a request can give it a fresh one: sign it with {ts}, or do not rely on it
    unsigned_event_type: equal bodies of two types of events are one delivery, because the type is not signed: set deduplicate_by = "body+event-type" if the provider sends such, or "body" if it does not
    open_registration: registration: it is open from the start, so that for an hour anybody who knows the address may offer a secret; set it to "closed", or remove it, once the webhook is registered
    "#);
}
