//! The page of the guide on signatures that do not match: what it shows is what is printed.

use std::time::Duration;

use http::Request;
use support::{NOW, at};
use tower_webhook::{
    Provider, Secret, Signer,
    capture::CapturedRequest,
    explain::{Budget, Providers, Secrets, diagnose},
    providers,
    verify::Head,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/docs/mismatch.md");
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ORDER: &str = r#"{"id":"evt_1","type":"order.paid","amount":120,"name":"Zoë"}"#;
const URL: &str = "https://hooks.example.com/webhooks/x";

/// What the provider sends, and what becomes of it.
struct Story {
    provider: Provider,
    signed: &'static str,
    came: Vec<u8>,
    /// What is configured, and what else is known.
    secrets: Secrets,
    /// How long the request waits.
    late: u64,
    rename: Option<(&'static str, &'static str)>,
}

impl Story {
    fn new(provider: Provider) -> Self {
        Self {
            provider,
            signed: ORDER,
            came: ORDER.as_bytes().to_vec(),
            secrets: Secrets::new(Secret::new(SECRET).with_id("2026-11")),
            late: 0,
            rename: None,
        }
    }

    fn came(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.came = body.into();
        self
    }

    fn configured(mut self, secret: &str) -> Self {
        self.secrets = Secrets::new(Secret::new(secret).with_id("2026-11"));
        self
    }

    /// What is printed, without how long it took.
    fn told(self, signer: Provider) -> String {
        let signer = Signer::new(signer, Secret::new(SECRET))
            .unwrap()
            .with_time(at(NOW));
        let signed = signer.sign(Request::post(URL), self.signed).unwrap();
        let (parts, _) = signed.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| {
            let renamed = self.rename.filter(|(from, _)| name == from);
            (
                renamed.map_or(name.as_str(), |(_, to)| to).to_owned(),
                value.as_bytes().to_vec(),
            )
        });
        let headers: Vec<(String, Vec<u8>)> = headers.collect();
        let captured = CapturedRequest::new(&Head::new(&headers).with_target(URL), self.came)
            .with_received_at(at(NOW + 2 + self.late))
            .with_endpoint("orders");
        let budget = Budget::default().with_time(Duration::from_secs(120));
        let report = diagnose(
            &Providers::new(self.provider),
            &self.secrets,
            &captured,
            budget,
        );
        let text = report.to_string();
        let end = text.rfind("tried:").unwrap();
        text[..end].trim_end().to_owned()
    }
}

/// The stories of the page, in its order.
fn told() -> Vec<String> {
    let github = providers::github;
    let stripe = providers::stripe;
    let square = |url: &'static str| providers::by_name("square").unwrap().with_param("url", url);
    let pretty = "{\n  \"id\": \"evt_1\",\n  \"type\": \"order.paid\",\n  \"amount\": 120,\n  \"name\": \"Zoë\"\n}";
    let mut other = Story::new(stripe()).configured("whsec_of_another_endpoint");
    other.secrets = other
        .secrets
        .with_other("STRIPE_CLI_SECRET", Secret::new(SECRET));
    let form = "payload=%7B%22id%22%3A%22evt_1%22%2C%22type%22%3A%22order.paid%22%2C%22amount%22%3A120%2C%22name%22%3A%22Zo%C3%AB%22%7D";
    let mut replayed = Story::new(stripe());
    replayed.late = 90_000;
    let mut renamed = Story::new(github());
    renamed.rename = Some(("x-hub-signature-256", "X-Original-Hub-Signature-256"));
    vec![
        Story::new(github()).came(pretty).told(github()),
        other.told(stripe()),
        Story::new(square("http://10.0.0.7:8080/webhooks/x")).told(square(URL)),
        Story::new(github()).configured("d2hzZWNfTWZLUTlyOEdLWXFyVHdqVVBEOElMUFpJbzJMYUxhU3c=").told(github()),
        Story::new(github()).came(form).told(github()),
        Story::new(github()).came(ORDER.replace('ë', "Ã«")).told(github()),
        Story::new(github()).configured(&format!("{SECRET}\n")).told(github()),
        Story::new(github()).came(format!("{ORDER}\n")).told(github()),
        Story::new(github()).came("eyJpZCI6ImV2dF8xIiwidHlwZSI6Im9yZGVyLnBhaWQiLCJhbW91bnQiOjEyMCwibmFtZSI6Ilpvw6sifQ==").told(github()),
        replayed.told(stripe()),
        renamed.told(github()),
        Story::new(github()).came("{\"id\":\"evt_2\"}").told(github()),
    ]
}

/// The blocks of text in the page. `UPDATE_GUIDE=1` writes them.
#[test]
fn the_page_shows_what_is_printed() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let told = told();
    let mut parts = page.split("```text\n");
    let mut written = parts.next().unwrap().to_owned();
    let mut blocks = 0;
    for (place, part) in parts.enumerate() {
        let (_, rest) = part.split_once("```").unwrap();
        written += &format!("```text\n{}\n```{rest}", told[place]);
        blocks += 1;
    }
    assert_eq!(blocks, told.len());
    if std::env::var_os("UPDATE_GUIDE").is_some() {
        std::fs::write(PAGE, &written).unwrap();
    }
    assert_eq!(page, written, "run with UPDATE_GUIDE=1");
}
