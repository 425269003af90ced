//! Requests with a hint and neighbours without it: the table that other modules run.

use base64::{
    Engine,
    engine::{
        GeneralPurpose,
        general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    },
};
use support::unhex;
use tower_webhook::scheme::{Coverage, Locator};

use super::*;

/// A request, and the hint whose presence or absence it shows.
pub(super) struct Row {
    pub(super) about: &'static str,
    pub(super) what: &'static str,
    pub(super) site: Site,
    pub(super) request: Request<Bytes>,
    /// `accepted`, or the kind and all hints.
    pub(super) outcome: &'static str,
}

impl Row {
    /// Whether it must have the hint that it is about.
    pub(super) fn has_hint(&self) -> bool {
        let hints = self.outcome.split_once(": ").map(|(_, hints)| hints);
        hints.is_some_and(|hints| hints.split(',').any(|hint| hint == self.about))
    }
}

fn row(
    about: &'static str,
    what: &'static str,
    site: Site,
    change: impl FnOnce(&Site) -> Request<Bytes>,
    outcome: &'static str,
) -> Row {
    Row {
        about,
        what,
        request: change(&site),
        site,
        outcome,
    }
}

/// All hints that a verifier gives. `outer_limit` is one of the hosts.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = of_heads();
    rows.extend(of_signatures());
    rows.extend(of_times());
    rows.extend(of_lengths());
    rows.extend(of_bodies());
    rows.extend(of_endpoints());
    rows.extend(of_key_ids());
    rows.extend(of_handshakes());
    rows
}

fn of_handshakes() -> Vec<Row> {
    let about = "handshake";
    let intercom = || Site::of("intercom");
    vec![
        row(
            about,
            "a probe of Intercom",
            intercom(),
            |_| plain("").by("HEAD"),
            "missing_header: handshake",
        ),
        row(
            about,
            "a probe of Trello at Intercom",
            intercom(),
            |_| plain("").by("GET"),
            "missing_header: safe_method",
        ),
        row(about, "a POST", intercom(), |_| plain(""), "missing_header"),
        row(
            about,
            "a HEAD for somebody else",
            github(),
            |_| plain("").by("HEAD"),
            "missing_header: safe_method",
        ),
        row(
            about,
            "a setting that is missing",
            Site::of("vercel"),
            |_| plain("").by("GET"),
            "missing_header: handshake",
        ),
        row(
            about,
            "a secret that nobody expects",
            Site::of("asana"),
            |_| plain("").set("x-hook-secret", "s"),
            "missing_header: handshake",
        ),
    ]
}

const SIGNATURE: &str = support::SIGNATURE;

fn hex(digits: usize) -> String {
    "5d41402abc4b2a76".chars().cycle().take(digits).collect()
}

fn github() -> Site {
    Site::of("github")
}

fn of_heads() -> Vec<Row> {
    let about = "foreign_header";
    let missing = "missing_header: foreign_header";
    let families = || Site::of("svix").sign("{}");
    let webhook = || {
        let request = families();
        let value = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let (id, time) = (value("svix-id"), value("svix-timestamp"));
        let signature = value("svix-signature");
        plain("{}")
            .set("webhook-id", id)
            .set("webhook-timestamp", time)
            .set("webhook-signature", signature)
    };
    let own = || {
        Site::custom(
            "{body}",
            SignatureFormat::single("Stripe-Signature", Encoding::Hex),
        )
    };
    let mut rows = vec![
        row(
            about,
            "stripe at idenfy",
            Site::of("idenfy"),
            |_| Site::of("stripe").sign("{}"),
            missing,
        ),
        row(
            about,
            "github at stripe",
            Site::of("stripe"),
            |_| github().sign("{}"),
            missing,
        ),
        row(about, "svix at github", github(), |_| families(), missing),
        row(
            about,
            "svix, renamed, at github",
            github(),
            |_| webhook(),
            missing,
        ),
        row(
            about,
            "slack at one's own",
            Site::custom("{body}", SignatureFormat::single("X-Acme", Encoding::Hex)),
            |_| Site::of("slack").sign("{}"),
            missing,
        ),
        row(
            about,
            "beside a signature that cannot be read",
            github(),
            |_| {
                plain("{}")
                    .set(SIGNATURE, "sha256=zz")
                    .set("stripe-signature", "t=1")
            },
            "malformed_signature: foreign_header,never_verified",
        ),
        row(
            about,
            "in a genuine request",
            github(),
            |site| site.sign("{}").set("stripe-signature", "t=1"),
            "accepted",
        ),
        row(
            about,
            "in a mismatch",
            github(),
            |site| site.changed("{}").set("stripe-signature", "t=1"),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "the other family of the same provider",
            Site::of("svix"),
            |_| webhook(),
            "accepted",
        ),
        row(
            about,
            "a name of many vendors",
            github(),
            |_| plain("{}").set("x-signature", hex(64)),
            "missing_header",
        ),
        row(
            about,
            "a name that is only similar",
            github(),
            |_| plain("{}").set("x-stripe-signature", "t=1"),
            "missing_header",
        ),
        row(
            about,
            "another header of another provider",
            github(),
            |_| plain("{}").set("x-shopify-topic", "orders/paid"),
            "missing_header",
        ),
        row(
            about,
            "a name that this endpoint has, too",
            own(),
            |_| plain("{}").set("stripe-signature", "zz"),
            "malformed_signature: never_verified",
        ),
    ];

    let about = "unsigned_sender";
    let missing = "missing_header: unsigned_sender";
    let none = "missing_header";
    let typed = || {
        let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
        Site::new(
            Provider::new("acme", scheme).with_event_type(Locator::header("Date")),
            TEXT,
        )
    };
    rows.extend([
        row(
            about,
            "github's event",
            github(),
            |_| plain("{}").set("x-github-event", "push"),
            missing,
        ),
        row(
            about,
            "github's delivery",
            github(),
            |_| plain("{}").set("x-github-delivery", "1"),
            missing,
        ),
        row(
            about,
            "shopify's topic",
            Site::of("shopify"),
            |_| plain("{}").set("x-shopify-topic", "orders/paid"),
            missing,
        ),
        row(
            about,
            "slack's time",
            Site::of("slack"),
            |_| plain("{}").set("x-slack-request-timestamp", NOW.to_string()),
            missing,
        ),
        row(
            about,
            "svix's id",
            Site::of("svix"),
            |site| site.sign("{}").without("svix-signature"),
            missing,
        ),
        row(
            about,
            "svix's signature without the id",
            Site::of("svix"),
            |site| site.sign("{}").without("svix-id"),
            none,
        ),
        row(
            about,
            "slack's signature without the time",
            Site::of("slack"),
            |site| site.sign("{}").without("x-slack-request-timestamp"),
            none,
        ),
        row(
            about,
            "a preflight at idenfy",
            Site::of("idenfy"),
            |_| plain("").by("OPTIONS"),
            "missing_header: safe_method",
        ),
        row(
            about,
            "idenfy, which signs only with a key",
            Site::of("idenfy"),
            |_| plain("{}"),
            missing,
        ),
        row(
            about,
            "idenfy's event",
            Site::of("idenfy"),
            |_| plain("{}").set("idenfy-event-type", "KYC"),
            missing,
        ),
        row(about, "a scanner", github(), |_| plain("{}"), none),
        row(
            about,
            "a scanner with common headers",
            github(),
            |_| {
                plain("{}")
                    .set("user-agent", "curl/8")
                    .set("content-type", "application/json")
                    .set("authorization", "Basic eDp5")
            },
            none,
        ),
        row(
            about,
            "a scanner with a header that everybody sends",
            typed(),
            |_| plain("{}").set("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
            none,
        ),
        row(
            about,
            "a name that is only similar",
            github(),
            |_| plain("{}").set("x-github-events", "push"),
            none,
        ),
        row(
            about,
            "a browser at idenfy",
            Site::of("idenfy"),
            |_| plain("").by("GET"),
            "missing_header: safe_method",
        ),
        row(
            about,
            "a genuine event",
            github(),
            |site| site.sign("{}").set("x-github-event", "push"),
            "accepted",
        ),
        row(
            about,
            "a forged event",
            github(),
            |site| site.changed("{}").set("x-github-event", "push"),
            "signature_mismatch: never_verified",
        ),
    ]);

    let about = "older_signature";
    let older = format!("sha1={}", hex(40));
    rows.extend([
        row(
            about,
            "only the older",
            github(),
            |_| plain("{}").set("x-hub-signature", &older),
            "missing_header: older_signature",
        ),
        row(
            about,
            "with the event",
            github(),
            |_| {
                plain("{}")
                    .set("x-hub-signature", &older)
                    .set("x-github-event", "push")
            },
            "missing_header: older_signature",
        ),
        row(
            about,
            "both, as github sends",
            github(),
            |site| site.sign("{}").set("x-hub-signature", &older),
            "accepted",
        ),
        row(
            about,
            "both, and the newer is wrong",
            github(),
            |site| site.changed("{}").set("x-hub-signature", &older),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "both, and the newer is mangled",
            github(),
            |_| {
                plain("{}")
                    .set(SIGNATURE, "sha256=zz")
                    .set("x-hub-signature", &older)
            },
            "malformed_signature: never_verified",
        ),
        row(
            about,
            "at a provider that never had it",
            Site::of("shopify"),
            |_| plain("{}").set("x-hub-signature", &older),
            "missing_header",
        ),
    ]);

    let about = "safe_method";
    rows.extend([
        row(
            about,
            "a browser",
            github(),
            |_| plain("").by("GET"),
            "missing_header: safe_method",
        ),
        row(
            about,
            "a health check",
            Site::of("svix"),
            |_| plain("").by("HEAD"),
            "missing_header: safe_method",
        ),
        row(
            about,
            "with a header of the provider",
            github(),
            |_| plain("").by("GET").set("x-github-event", "ping"),
            "missing_header: unsigned_sender,safe_method",
        ),
        row(about, "a POST", github(), |_| plain(""), "missing_header"),
        row(
            about,
            "a PUT",
            github(),
            |_| plain("").by("PUT"),
            "missing_header",
        ),
        row(
            about,
            "a method in other letters",
            github(),
            |_| plain("").by("get"),
            "missing_header",
        ),
        row(
            about,
            "a GET that is signed",
            github(),
            |site| site.sign("{}").by("GET"),
            "accepted",
        ),
        row(
            about,
            "a GET with a wrong signature",
            github(),
            |site| site.changed("{}").by("GET"),
            "signature_mismatch: never_verified",
        ),
    ]);
    rows
}

fn of_signatures() -> Vec<Row> {
    let svix = || Site::of("svix");
    let idenfy = || Site::of("idenfy");
    let shopify = || Site::of("shopify");
    let stripe = || Site::of("stripe");
    let base64 = |bytes: usize| STANDARD.encode(unhex(&hex(bytes * 2)));
    let in_base64 =
        |site: &Site, engine: &GeneralPurpose| engine.encode(unhex(&site.signature("{}")));
    let malformed = "malformed_signature: never_verified";

    let about = "folded_lines";
    let folded = "repeated_header: folded_lines";
    let repeated = || {
        Site::custom(
            "{body}",
            SignatureFormat::single("X-Acme", Encoding::Hex).with_repeated_lines(),
        )
    };
    let mut rows = vec![
        row(
            about,
            "the same twice",
            github(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}").set(SIGNATURE, format!("{one}, {one}"))
            },
            folded,
        ),
        row(
            about,
            "two of base64",
            shopify(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}")
                    .set("x-shopify-hmac-sha256", format!("{one},{}", base64(32)))
            },
            folded,
        ),
        row(
            about,
            "two without a prefix",
            idenfy(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}")
                    .set("idenfy-signature", format!("{}, {one}", hex(64)))
            },
            folded,
        ),
        row(about, "one", github(), |site| site.sign("{}"), "accepted"),
        row(
            about,
            "two that were not folded",
            github(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}").add(SIGNATURE, one)
            },
            "repeated_header",
        ),
        row(
            about,
            "one and what is none",
            github(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}").set(SIGNATURE, format!("{one}, sha256=zz"))
            },
            malformed,
        ),
        row(
            about,
            "two where lines may repeat",
            repeated(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}").set("x-acme", format!("{}, {one}", hex(64)))
            },
            "accepted",
        ),
        row(
            about,
            "two of a list",
            svix(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}")
                    .set("svix-signature", format!("{one},{one}"))
            },
            "accepted",
        ),
    ];

    let about = "undecoded_signature";
    rows.extend([
        row(
            about,
            "a wrong one and one that is none",
            svix(),
            |site| {
                site.sign("{}")
                    .set("svix-signature", format!("v1,{} v1,!", base64(32)))
            },
            "signature_mismatch: undecoded_signature,never_verified",
        ),
        row(
            about,
            "the other way round",
            svix(),
            |site| {
                site.sign("{}")
                    .set("svix-signature", format!("v1,! v1,{}", base64(32)))
            },
            "signature_mismatch: undecoded_signature,never_verified",
        ),
        row(
            about,
            "among fields",
            stripe(),
            |site| {
                site.sign("{}")
                    .set("stripe-signature", format!("t={NOW},v1={},v1=zz", hex(64)))
            },
            "signature_mismatch: undecoded_signature,never_verified,cli_secret",
        ),
        row(
            about,
            "beside the right one",
            svix(),
            |site| {
                let one = site.signature("{}");
                site.sign("{}").set("svix-signature", format!("{one} v1,!"))
            },
            "accepted",
        ),
        row(
            about,
            "without a wrong one",
            svix(),
            |site| site.sign("{}").set("svix-signature", "v1,! v1,?"),
            malformed,
        ),
        row(
            about,
            "of another version",
            svix(),
            |site| {
                site.sign("{}")
                    .set("svix-signature", format!("v1,{} v1a,! v2,?", base64(32)))
            },
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "a field of another version",
            stripe(),
            |site| {
                site.sign("{}")
                    .set("stripe-signature", format!("t={NOW},v1={},v0=zz", hex(64)))
            },
            "signature_mismatch: never_verified,cli_secret",
        ),
    ]);

    let about = "other_length";
    let length = "malformed_signature: other_length,never_verified";
    rows.extend([
        row(
            about,
            "SHA-512 in hex",
            idenfy(),
            |_| plain("{}").set("idenfy-signature", hex(128)),
            length,
        ),
        row(
            about,
            "SHA-1 in hex",
            github(),
            |_| plain("{}").set(SIGNATURE, format!("sha256={}", hex(40))),
            length,
        ),
        row(
            about,
            "SHA-512 in base64",
            shopify(),
            |_| plain("{}").set("x-shopify-hmac-sha256", base64(64)),
            length,
        ),
        row(
            about,
            "cut off",
            github(),
            |_| plain("{}").set(SIGNATURE, format!("sha256={}", hex(62))),
            length,
        ),
        row(
            about,
            "cut off within a byte",
            github(),
            |_| plain("{}").set(SIGNATURE, format!("sha256={}", hex(63))),
            length,
        ),
        row(
            about,
            "cut off within a byte, elsewhere",
            github(),
            |_| plain("{}").set(SIGNATURE, format!("sha256={}4", hex(62))),
            length,
        ),
        row(
            about,
            "in a list with a wrong one",
            svix(),
            |site| {
                site.sign("{}").set(
                    "svix-signature",
                    format!("v1,{} v1,{}", base64(20), base64(32)),
                )
            },
            "signature_mismatch: undecoded_signature,other_length,never_verified",
        ),
        row(
            about,
            "the right length",
            github(),
            |site| site.changed("{}"),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "a word",
            github(),
            |_| plain("{}").set(SIGNATURE, "sha256=null"),
            malformed,
        ),
        row(
            about,
            "another word",
            github(),
            |_| plain("{}").set(SIGNATURE, "sha256=undefined"),
            malformed,
        ),
        row(
            about,
            "nothing",
            idenfy(),
            |_| plain("{}").set("idenfy-signature", ""),
            malformed,
        ),
        row(
            about,
            "a token",
            idenfy(),
            |_| plain("{}").set("idenfy-signature", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
            malformed,
        ),
    ]);

    let about = "other_encoding";
    let encoding = "malformed_signature: other_encoding,never_verified";
    rows.extend([
        row(
            about,
            "base64 for hex",
            idenfy(),
            |site| plain("{}").set("idenfy-signature", in_base64(site, &STANDARD)),
            encoding,
        ),
        row(
            about,
            "URL-safe for hex",
            idenfy(),
            |site| plain("{}").set("idenfy-signature", in_base64(site, &URL_SAFE_NO_PAD)),
            encoding,
        ),
        row(
            about,
            "hex for base64",
            shopify(),
            |_| plain("{}").set("x-shopify-hmac-sha256", hex(64)),
            encoding,
        ),
        row(
            about,
            "unpadded for base64",
            shopify(),
            |_| plain("{}").set("x-shopify-hmac-sha256", base64(32).trim_end_matches('=')),
            encoding,
        ),
        row(
            about,
            "hex in a list of base64",
            svix(),
            |site| {
                site.sign("{}")
                    .set("svix-signature", format!("v1,{}", hex(64)))
            },
            encoding,
        ),
        row(
            about,
            "hex beside a wrong one",
            svix(),
            |site| {
                site.sign("{}").set(
                    "svix-signature",
                    format!("v1,{} v1,{}", base64(32), hex(64)),
                )
            },
            "signature_mismatch: undecoded_signature,other_encoding,never_verified",
        ),
        row(
            about,
            "hex in capitals",
            idenfy(),
            |site| plain("{}").set("idenfy-signature", site.signature("{}").to_uppercase()),
            "accepted",
        ),
        row(
            about,
            "either, where both are allowed",
            Site::of("authento"),
            |site| plain("{}").set("x-payload-digest", in_base64(site, &STANDARD)),
            "accepted",
        ),
        row(
            about,
            "base64 of another length",
            idenfy(),
            |_| plain("{}").set("idenfy-signature", base64(30)),
            length,
        ),
    ]);

    let about = "prefix_missing";
    let prefix = "malformed_signature: prefix_missing,never_verified";
    rows.extend([
        row(
            about,
            "bare",
            github(),
            |_| plain("{}").set(SIGNATURE, hex(64)),
            prefix,
        ),
        row(
            about,
            "in capitals",
            github(),
            |_| plain("{}").set(SIGNATURE, format!("SHA256={}", hex(64))),
            prefix,
        ),
        row(
            about,
            "another's",
            Site::of("slack"),
            |site| {
                site.sign("{}")
                    .set("x-slack-signature", format!("sha256={}", hex(64)))
            },
            prefix,
        ),
        row(
            about,
            "a list of another version",
            svix(),
            |site| {
                site.sign("{}")
                    .set("svix-signature", format!("v2,{}", base64(32)))
            },
            prefix,
        ),
        row(
            about,
            "no field of this name",
            stripe(),
            |site| {
                site.sign("{}")
                    .set("stripe-signature", format!("t={NOW},v0={}", hex(64)))
            },
            prefix,
        ),
        row(about, "there", github(), |site| site.sign("{}"), "accepted"),
        row(
            about,
            "there, before what is none",
            github(),
            |_| plain("{}").set(SIGNATURE, "sha256=zz"),
            malformed,
        ),
        row(
            about,
            "there, in a list of what is none",
            svix(),
            |site| site.sign("{}").set("svix-signature", "v2,x v1,!"),
            malformed,
        ),
        row(
            about,
            "none is expected",
            idenfy(),
            |_| plain("{}").set("idenfy-signature", "zz"),
            malformed,
        ),
    ]);
    rows
}

fn of_times() -> Vec<Row> {
    let stripe = |time: String| {
        let value = format!("t={time},v1={}", hex(64));
        move |_: &Site| plain("{}").set("stripe-signature", value)
    };
    let svix = |time: String| move |site: &Site| site.sign("{}").set("svix-timestamp", time);
    let acme = |time: String| move |site: &Site| site.sign("{}").set("x-time", time);
    let at_stripe = || Site::of("stripe");
    let at_svix = || Site::of("svix");
    let millis = || Site::timed(TimeUnit::Milliseconds);
    let date = || Site::timed(TimeUnit::ImfFixdate);
    let day = 24 * 60 * 60;

    let about = "other_unit";
    let future = "timestamp_in_future: other_unit";
    let malformed = "malformed_timestamp: other_unit";
    let mut rows = vec![
        row(
            about,
            "milliseconds for seconds",
            at_stripe(),
            stripe(format!("{NOW}000")),
            future,
        ),
        row(
            about,
            "milliseconds for seconds in a header",
            at_svix(),
            svix(format!("{NOW}123")),
            future,
        ),
        row(
            about,
            "microseconds for seconds",
            at_stripe(),
            stripe(format!("{NOW}000000")),
            future,
        ),
        row(
            about,
            "seconds with a fraction",
            at_stripe(),
            stripe(format!("{NOW}.25")),
            malformed,
        ),
        row(
            about,
            "a number with two points",
            at_stripe(),
            stripe(format!("{NOW}.2.5")),
            "malformed_timestamp",
        ),
        row(
            about,
            "nanoseconds for seconds",
            at_stripe(),
            stripe(format!("{NOW}000000000")),
            future,
        ),
        row(
            about,
            "a date for seconds",
            at_svix(),
            svix("2023-11-14T22:13:20Z".to_owned()),
            malformed,
        ),
        row(
            about,
            "another date for seconds",
            at_svix(),
            svix("Tue, 14 Nov 2023 22:13:20 GMT".to_owned()),
            malformed,
        ),
        row(
            about,
            "seconds for milliseconds",
            millis(),
            acme(NOW.to_string()),
            "timestamp_too_old: other_unit",
        ),
        row(
            about,
            "seconds for a date",
            date(),
            acme(NOW.to_string()),
            malformed,
        ),
        row(
            about,
            "milliseconds of years ago",
            at_stripe(),
            stripe("1400000000000".to_owned()),
            "timestamp_in_future",
        ),
        row(
            about,
            "seconds of years ago",
            at_stripe(),
            stripe("1400000000".to_owned()),
            "timestamp_too_old",
        ),
        row(
            about,
            "seconds with one more digit",
            at_stripe(),
            stripe(format!("{NOW}0")),
            "timestamp_in_future",
        ),
        row(
            about,
            "no time",
            at_stripe(),
            stripe("now".to_owned()),
            "malformed_timestamp",
        ),
        row(
            about,
            "the unit of the scheme",
            millis(),
            |site| site.sign("{}"),
            "accepted",
        ),
    ];

    let about = "clock";
    rows.extend([
        row(
            about,
            "just too old",
            at_svix(),
            svix((NOW - 301).to_string()),
            "timestamp_too_old: clock",
        ),
        row(
            about,
            "just too new",
            at_svix(),
            svix((NOW + 301).to_string()),
            "timestamp_in_future: clock",
        ),
        row(
            about,
            "a retry of yesterday",
            at_stripe(),
            stripe((NOW - day).to_string()),
            "timestamp_too_old: clock",
        ),
        row(
            about,
            "milliseconds, just too old",
            millis(),
            acme(format!("{}000", NOW - 301)),
            "timestamp_too_old: clock",
        ),
        row(
            about,
            "a capture of last week",
            at_stripe(),
            stripe((NOW - 7 * day).to_string()),
            "timestamp_too_old",
        ),
        row(
            about,
            "next week",
            at_stripe(),
            stripe((NOW + 7 * day).to_string()),
            "timestamp_in_future",
        ),
        row(
            about,
            "a wrong signature in time",
            at_svix(),
            svix((NOW - 299).to_string()),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "right",
            at_svix(),
            |site| site.sign("{}"),
            "accepted",
        ),
    ]);
    rows
}

fn of_lengths() -> Vec<Row> {
    let small = || github().with(|verifier| verifier.with_max_body(100));
    let about = "max_body";
    let mut rows = vec![
        row(
            about,
            "declared",
            small(),
            |site| site.sign("{}").set("content-length", "101"),
            "body_too_large: max_body",
        ),
        row(
            about,
            "received",
            small(),
            |site| site.sign("x".repeat(101)),
            "body_too_large: max_body",
        ),
        row(
            about,
            "of a provider's own limit",
            Site::of("stripe"),
            |site| site.sign("{}").set("content-length", "1048577"),
            "body_too_large: max_body",
        ),
        row(
            about,
            "declared, as long as the limit",
            small(),
            |site| site.sign("x".repeat(100)).set("content-length", "100"),
            "accepted",
        ),
        row(
            about,
            "as long as the limit",
            small(),
            |site| site.sign("x".repeat(100)),
            "accepted",
        ),
        row(
            about,
            "wrong, as long as the limit",
            small(),
            |site| site.changed("x".repeat(100)),
            "signature_mismatch: never_verified",
        ),
    ];

    let about = "length_differs";
    rows.extend([
        row(
            about,
            "shorter",
            github(),
            |site| site.changed("{}").set("content-length", "15"),
            "signature_mismatch: length_differs,never_verified",
        ),
        row(
            about,
            "longer",
            github(),
            |site| site.changed("{ }").set("content-length", "2"),
            "signature_mismatch: length_differs,never_verified",
        ),
        row(
            about,
            "the same",
            github(),
            |site| site.changed("{}").set("content-length", "2"),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "not declared",
            github(),
            |site| site.changed("{}"),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "declared as no number",
            github(),
            |site| site.changed("{}").set("content-length", "-1"),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "nothing left",
            github(),
            |site| site.changed("").set("content-length", "2"),
            "body_taken",
        ),
        row(
            about,
            "the length of what was signed",
            github(),
            |site| site.sign("{}").set("content-length", "15"),
            "accepted",
        ),
    ]);
    rows
}

fn of_bodies() -> Vec<Row> {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    const NONE: &str = "signature_mismatch: never_verified";
    let sent = |body: &'static [u8], content_type: &'static str| {
        move |site: &Site| site.changed(body).set("content-type", content_type)
    };
    let encoded = |body: &'static [u8], encoding: &'static str| {
        move |site: &Site| {
            site.changed(body)
                .set("content-type", JSON)
                .set("content-encoding", encoding)
        }
    };
    let genuine = |body: &'static [u8], content_type: &'static str| {
        move |site: &Site| site.sign(body).set("content-type", content_type)
    };
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00";

    let about = "body_empty";
    let mut rows = vec![
        row(
            about,
            "emptied",
            github(),
            sent(b"", JSON),
            "signature_mismatch: body_empty,never_verified",
        ),
        row(
            about,
            "emptied, of no type",
            github(),
            |site| site.changed(""),
            "signature_mismatch: body_empty,never_verified",
        ),
        row(about, "a blank", github(), sent(b" ", "text/plain"), NONE),
        row(
            about,
            "genuinely empty",
            github(),
            genuine(b"", JSON),
            "accepted",
        ),
    ];

    let about = "body_compressed";
    let seen = "signature_mismatch: body_compressed,never_verified";
    rows.extend([
        row(
            about,
            "gzip that is declared",
            github(),
            encoded(GZIP, "gzip"),
            seen,
        ),
        row(about, "gzip that is not", github(), sent(GZIP, JSON), seen),
        row(
            about,
            "zlib",
            github(),
            sent(b"\x78\x9c\xab\xae\x05\x00\x01\xf4\x00\xf6", JSON),
            seen,
        ),
        row(
            about,
            "Zstandard",
            github(),
            sent(b"\x28\xb5\x2f\xfd\x24\x02\x11\x00\x00{}", JSON),
            seen,
        ),
        row(
            about,
            "Brotli, which has no magic number",
            github(),
            encoded(b"\x0b\x00\x80{}\x03", "br"),
            seen,
        ),
        row(
            about,
            "JSON",
            github(),
            sent(b"{\"a\":\"\\u001f\"}", JSON),
            NONE,
        ),
        row(
            about,
            "a text that begins as zlib may",
            github(),
            sent(b"x^2 + y^2", "text/plain"),
            NONE,
        ),
        row(
            about,
            "genuinely compressed",
            github(),
            |site| site.sign(GZIP).set("content-encoding", "gzip"),
            "accepted",
        ),
    ]);

    let about = "body_decompressed";
    let seen = "signature_mismatch: body_decompressed,never_verified";
    rows.extend([
        row(
            about,
            "gzip that is none",
            github(),
            encoded(b"{\"a\":1}", "gzip"),
            seen,
        ),
        row(
            about,
            "Brotli that is none",
            github(),
            encoded(b"{\"a\":1}", "br"),
            seen,
        ),
        row(
            about,
            "the identity",
            github(),
            encoded(b"{\"a\":1}", "identity"),
            NONE,
        ),
        row(
            about,
            "nothing declared",
            github(),
            sent(b"{\"a\":1}", JSON),
            NONE,
        ),
        row(
            about,
            "signed before it was compressed, and decompressed",
            github(),
            |site| site.sign("{}").set("content-encoding", "gzip"),
            "accepted",
        ),
    ]);

    let about = "body_base64";
    let seen = "signature_mismatch: body_base64,never_verified";
    rows.extend([
        row(
            about,
            "of an object",
            github(),
            sent(b"eyJpZCI6MX0=", "text/plain"),
            seen,
        ),
        row(about, "of a list", github(), sent(b"WzEsMl0=", JSON), seen),
        row(
            about,
            "of a form",
            github(),
            sent(b"cGF5bG9hZD17fQ==", FORM),
            seen,
        ),
        row(
            about,
            "URL-safe, with a line break",
            github(),
            sent(b"eyJ1IjoiPz8_In0\n", "text/plain"),
            seen,
        ),
        row(
            about,
            "of an image",
            github(),
            sent(b"iVBORw0KGgoAAAANSUhEUg==", "text/plain"),
            NONE,
        ),
        row(
            about,
            "a word",
            github(),
            sent(b"hello", "text/plain"),
            NONE,
        ),
        row(about, "a number", github(), sent(b"12345678", JSON), NONE),
        row(
            about,
            "a token",
            github(),
            sent(b"eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "text/plain"),
            NONE,
        ),
        row(
            about,
            "a field of an object",
            github(),
            sent(b"{\"a\":\"eyJpZCI6MX0=\"}", JSON),
            NONE,
        ),
        row(
            about,
            "genuinely base64",
            github(),
            genuine(b"eyJpZCI6MX0=", "text/plain"),
            "accepted",
        ),
    ]);

    let about = "body_quoted";
    let seen = "signature_mismatch: body_quoted,never_verified";
    rows.extend([
        row(
            about,
            "an object",
            github(),
            sent(b"\"{\\\"a\\\":1}\"", JSON),
            seen,
        ),
        row(about, "a list", github(), sent(b" \"[1]\"", JSON), seen),
        row(about, "a text", github(), sent(b"\"a\"", JSON), NONE),
        row(
            about,
            "a field that is a text",
            github(),
            sent(b"{\"a\":\"{}\"}", JSON),
            NONE,
        ),
        row(
            about,
            "genuinely quoted",
            github(),
            genuine(b"\"{}\"", JSON),
            "accepted",
        ),
    ]);

    let about = "body_wrapped";
    let seen = "signature_mismatch: body_wrapped,never_verified";
    let gateway = br#"{"requestContext":{},"body":"{}","isBase64Encoded":false}"#;
    let sqs = br#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#;
    let sns = br#"{"Type":"Notification","TopicArn":"arn:aws:sns:x"}"#;
    let event_bridge = br#"{"version":"0","detail-type":"x","detail":{}}"#;
    let pub_sub = br#"{"message":{"data":"e30="},"subscription":"projects/p/subscriptions/s"}"#;
    let invoice = br#"{"id":"in_1","subscription":"sub_1"}"#;
    let body_in_body = br#"{"body":"{}","records":[],"version":"2.0"}"#;
    let list = br#"["isBase64Encoded"]"#;
    for (what, body, outcome) in [
        ("API Gateway's", &gateway[..], seen),
        ("SQS's", sqs, seen),
        ("SNS's", sns, seen),
        ("EventBridge's", event_bridge, seen),
        ("Pub/Sub's", pub_sub, seen),
        ("a subscription that is something else", invoice, NONE),
        ("a body in a body", body_in_body, NONE),
        ("a list of such words", list, NONE),
    ] {
        rows.push(row(about, what, github(), sent(body, JSON), outcome));
    }
    rows.push(row(
        about,
        "genuinely wrapped",
        github(),
        genuine(gateway, JSON),
        "accepted",
    ));

    let about = "body_form";
    let signed_id = || {
        Site::custom(
            "{json:/id}.{body}",
            SignatureFormat::single("X-Acme", Encoding::Hex),
        )
    };
    let signed_field = || {
        let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{form:id}", signature);
        let provider =
            Provider::new("acme", scheme.with_coverage(Coverage::Partial)).accept_unsigned_body();
        Site::new(provider, TEXT)
    };
    let tagged = |body: &'static str| {
        move |_: &Site| plain(body).set("x-acme", hex(64)).set("content-type", FORM)
    };
    rows.extend([
        row(
            about,
            "a form for JSON",
            signed_id(),
            tagged("payload=%7B%22id%22%3A1%7D"),
            "malformed_body: body_form",
        ),
        row(
            about,
            "another form for JSON",
            signed_id(),
            tagged("a[b]=c&d=e"),
            "malformed_body: body_form",
        ),
        row(
            about,
            "a form without the field that is signed",
            signed_field(),
            tagged("a=1&b=2"),
            "malformed_body",
        ),
        row(
            about,
            "JSON without the value",
            signed_id(),
            |_| plain("{\"a\":\"b=c\"}").set("x-acme", hex(64)),
            "malformed_body",
        ),
        row(
            about,
            "a text",
            signed_id(),
            |_| plain("a b=c").set("x-acme", hex(64)),
            "malformed_body",
        ),
        row(
            about,
            "a form that is signed as it is",
            github(),
            sent(b"payload=%7B%7D", FORM),
            NONE,
        ),
        row(
            about,
            "JSON",
            signed_id(),
            |site| site.sign("{\"id\":\"a=b\"}"),
            "accepted",
        ),
    ]);

    let about = "body_other_type";
    let seen = "signature_mismatch: body_other_type,never_verified";
    rows.extend([
        row(
            about,
            "a form as JSON",
            github(),
            sent(b"a=1&b=2", JSON),
            seen,
        ),
        row(
            about,
            "JSON as a form, as curl sends it",
            github(),
            sent(b"{\"a\":1}", FORM),
            NONE,
        ),
        row(
            about,
            "JSON as XML",
            github(),
            sent(b"{}", "text/xml"),
            seen,
        ),
        row(
            about,
            "XML as JSON",
            github(),
            sent(b"<a/>", "application/ld+json; charset=utf-8"),
            seen,
        ),
        row(
            about,
            "JSON as parts",
            github(),
            sent(b"{}", "multipart/form-data; boundary=b"),
            seen,
        ),
        row(about, "a form", github(), sent(b"a=1", FORM), NONE),
        row(
            about,
            "JSON after a byte order mark",
            github(),
            sent(b"\xef\xbb\xbf{}", JSON),
            NONE,
        ),
        row(about, "a number as JSON", github(), sent(b"-1", JSON), NONE),
        row(
            about,
            "of no type",
            github(),
            |site| site.changed("<a/>"),
            NONE,
        ),
        row(
            about,
            "of a type that may hold anything",
            github(),
            sent(b"<a/>", "application/octet-stream"),
            NONE,
        ),
        row(
            about,
            "genuinely of another type",
            github(),
            genuine(b"a=1", JSON),
            "accepted",
        ),
    ]);
    rows
}

fn of_key_ids() -> Vec<Row> {
    let about = "unknown_key_id";
    let site = |id: Option<&'static str>| {
        let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
        let provider = Provider::new("acme", scheme.with_key_id("X-Key"));
        let key = Secret::new(TEXT);
        let signer = Signer::new(provider.clone(), key.clone().with_id("k1")).unwrap();
        let key = id.map_or(key.clone(), |id| key.with_id(id));
        let verifier = Verifier::new(provider, key).unwrap();
        Site {
            verifier,
            signer: signer.with_time(at(NOW)),
        }
    };
    let asks = |id: &'static str| move |site: &Site| site.sign("{}").set("x-key", id);
    vec![
        row(
            about,
            "another id",
            site(Some("k1")),
            asks("k2"),
            "signature_mismatch: unknown_key_id,never_verified",
        ),
        row(about, "the id", site(Some("k1")), asks("k1"), "accepted"),
        row(
            about,
            "the id, with another body",
            site(Some("k1")),
            |site| site.changed("{}").set("x-key", "k1"),
            "signature_mismatch: never_verified",
        ),
        row(
            about,
            "a key without an id",
            site(None),
            |site| site.changed("{}").set("x-key", "k2"),
            "signature_mismatch: never_verified",
        ),
    ]
}

fn of_endpoints() -> Vec<Row> {
    let used = |name: &str| {
        let site = Site::of(name);
        site.verify(&site.sign("{}")).unwrap();
        site
    };
    let forged = |site: &Site| site.changed("{}");
    let original = used("github");
    let copy = original.clone().with(|verifier| verifier.with_max_body(99));
    vec![
        row(
            "never_verified",
            "a fresh endpoint",
            github(),
            forged,
            "signature_mismatch: never_verified",
        ),
        row(
            "never_verified",
            "a fresh endpoint that cannot decode it",
            github(),
            |_| plain("{}").set(SIGNATURE, "sha256=zz"),
            "malformed_signature: never_verified",
        ),
        row(
            "never_verified",
            "a missing header",
            github(),
            |_| plain("{}"),
            "missing_header",
        ),
        row(
            "never_verified",
            "its first event",
            github(),
            |site| site.sign("{}"),
            "accepted",
        ),
        row(
            "verified_before",
            "a used endpoint",
            used("github"),
            forged,
            "signature_mismatch: verified_before",
        ),
        row(
            "verified_before",
            "a used endpoint that cannot decode it",
            used("github"),
            |_| plain("{}").set(SIGNATURE, "sha256=zz"),
            "malformed_signature: verified_before",
        ),
        row(
            "verified_before",
            "a used endpoint of another provider",
            used("svix"),
            forged,
            "signature_mismatch: verified_before",
        ),
        row(
            "verified_before",
            "a copy of it with another limit",
            copy,
            forged,
            "signature_mismatch: never_verified",
        ),
        row(
            "verified_before",
            "its second event",
            used("github"),
            |site| site.sign("[]"),
            "accepted",
        ),
        row(
            "cli_secret",
            "stripe",
            Site::of("stripe"),
            forged,
            "signature_mismatch: never_verified,cli_secret",
        ),
        row(
            "cli_secret",
            "stripe, used",
            used("stripe"),
            forged,
            "signature_mismatch: verified_before",
        ),
        row(
            "cli_secret",
            "stripe that cannot decode it",
            Site::of("stripe"),
            |_| plain("{}").set("stripe-signature", format!("t={NOW},v1=zz")),
            "malformed_signature: never_verified",
        ),
        row(
            "cli_secret",
            "a provider without such a tool",
            Site::of("shopify"),
            forged,
            "signature_mismatch: never_verified",
        ),
        row(
            "cli_secret",
            "stripe's own",
            Site::of("stripe"),
            |site| site.sign("{}"),
            "accepted",
        ),
    ]
}
