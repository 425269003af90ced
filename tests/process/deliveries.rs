//! What the receiver example does with repeated deliveries: its answers, its counters, its
//! configuration.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower_webhook::{Secret, Signer, providers};

use support::{
    receiver::{self, Answer, Receiver},
    redis::Redis,
    unix_now,
};

const SECRET: &str = "whsec_a-secret-between-two-programs";

/// Two endpoints with one secret, so that one event can be sent to both.
const ENDPOINTS: &str = r#"
    [endpoints.payments]
    provider = "stripe"
    secret = "whsec_a-secret-between-two-programs"

    [endpoints.refunds]
    provider = "stripe"
    secret = "whsec_a-secret-between-two-programs"
"#;
const MEMORY: &str = "[deliveries]\nstore = \"memory\"\n";
const REDIS: &str = "[deliveries]\nstore = \"redis\"\nurl = { env = \"REDIS_URL\" }\nnamespace = \"receiver-tests\"\n";

fn config(deliveries: &str) -> String {
    format!("{ENDPOINTS}\n{deliveries}")
}

/// Sends an event, signed at this many seconds before now.
async fn send(receiver: &Receiver, endpoint: &str, body: &str, seconds: u64) -> Answer {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(unix_now() - seconds);
    let signer = Signer::new(providers::stripe(), Secret::new(SECRET)).unwrap();
    let signer = signer.with_time(time);
    let request = signer.sign(Request::post("/"), body.to_owned()).unwrap();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    receiver.post(endpoint, headers, body.to_owned()).await
}

async fn counts(receiver: &Receiver, endpoint: &str) -> (u64, u64) {
    let stats = receiver.stats(endpoint).await;
    let count = |name: &str| stats.get(name).and_then(Value::as_u64).unwrap();
    (count("accepted"), count("duplicates"))
}

#[track_caller]
fn assert_handled(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK);
    let provider = answer.json().get("provider").cloned();
    assert_eq!(provider, Some(json!("stripe")));
}

/// A repeated delivery is answered with success, and has nothing to say.
#[track_caller]
fn assert_repeated(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body.len(), 0);
}

#[tokio::test]
async fn a_repeated_delivery_is_answered_and_counted_and_not_handled_again() {
    let receiver = Receiver::with_config(&config(MEMORY));
    let body = r#"{"id":"evt_1","type":"charge.succeeded"}"#;
    assert_handled(&send(&receiver, "payments", body, 20).await);
    // The same request, and retries that are signed anew, one of them with another body around the
    // id.
    assert_repeated(&send(&receiver, "payments", body, 20).await);
    assert_repeated(&send(&receiver, "payments", body, 0).await);
    let more = r#"{"id":"evt_1","pending_webhooks":2}"#;
    assert_repeated(&send(&receiver, "payments", more, 0).await);
    assert_eq!(counts(&receiver, "payments").await, (1, 3));

    // Another id is another delivery, and so is the same one at another endpoint.
    let other = r#"{"id":"evt_2","type":"charge.succeeded"}"#;
    assert_handled(&send(&receiver, "payments", other, 0).await);
    assert_handled(&send(&receiver, "refunds", body, 0).await);
    assert_eq!(counts(&receiver, "payments").await, (2, 3));
    assert_eq!(
        receiver.stats("refunds").await,
        json!({ "accepted": 1, "duplicates": 0, "refused": {} })
    );
}

#[tokio::test]
async fn without_the_table_every_delivery_is_handled() {
    let receiver = Receiver::with_config(ENDPOINTS);
    for _ in 0..3 {
        assert_handled(&send(&receiver, "payments", r#"{"id":"evt_1"}"#, 0).await);
    }
    assert_eq!(
        receiver.stats("payments").await,
        json!({ "accepted": 3, "duplicates": 0, "refused": {} })
    );
}

#[tokio::test]
async fn receivers_share_a_redis_and_what_it_remembers_outlives_them() {
    let Some(redis) = Redis::start() else { return };
    let url = redis.url();
    let start = || Receiver::with_config_and_env(&config(REDIS), &[("REDIS_URL", &url)]);
    let (first, second) = (start(), start());
    let body = r#"{"id":"evt_1"}"#;
    assert_handled(&send(&first, "payments", body, 0).await);
    assert_repeated(&send(&second, "payments", body, 0).await);
    assert_eq!(counts(&first, "payments").await, (1, 0));
    assert_eq!(counts(&second, "payments").await, (0, 1));

    first.signal("TERM");
    assert_eq!(first.ended().code, Some(0));
    assert_repeated(&send(&start(), "payments", body, 0).await);
}

#[tokio::test]
async fn of_many_copies_at_once_over_two_receivers_one_is_handled() {
    let Some(redis) = Redis::start() else { return };
    let url = redis.url();
    let start = || Receiver::with_config_and_env(&config(REDIS), &[("REDIS_URL", &url)]);
    let receivers = [std::sync::Arc::new(start()), std::sync::Arc::new(start())];
    let mut sends = tokio::task::JoinSet::new();
    for number in 0..100_usize {
        for receiver in receivers.clone() {
            let body = format!(r#"{{"id":"evt_{}"}}"#, number / 10);
            sends.spawn(async move { send(&receiver, "payments", &body, 0).await });
        }
    }
    while let Some(answer) = sends.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::OK);
    }
    let (first, second) = (
        counts(&receivers[0], "payments").await,
        counts(&receivers[1], "payments").await,
    );
    assert_eq!((first.0 + second.0, first.1 + second.1), (10, 190));
}

#[tokio::test]
async fn sighup_keeps_what_is_remembered() {
    let receiver = Receiver::with_config(&config(MEMORY));
    let body = r#"{"id":"evt_1"}"#;
    assert_handled(&send(&receiver, "payments", body, 0).await);
    // Without the table, too: deliveries are not configured anew.
    let renamed = ENDPOINTS.replace("refunds", "payouts");
    receiver.rewrite(&renamed);
    receiver.signal("HUP");
    assert!(receiver.line("configuration read again").is_some());
    let gone = send(&receiver, "refunds", body, 0).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_repeated(&send(&receiver, "payments", body, 0).await);
    assert_handled(&send(&receiver, "payouts", body, 0).await);
    assert_repeated(&send(&receiver, "payouts", body, 0).await);
    assert_eq!(counts(&receiver, "payments").await, (1, 1));
}

#[tokio::test]
async fn a_receiver_starts_without_redis_and_answers_503_until_it_is_there() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    redis.kill();
    let receiver = Receiver::with_config_and_env(&config(REDIS), &[("REDIS_URL", &redis.url())]);
    let body = r#"{"id":"evt_1"}"#;
    let refused = send(&receiver, "payments", body, 0).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.body.len(), 0);
    redis.restart();
    assert_handled(&send(&receiver, "payments", body, 0).await);
    assert_repeated(&send(&receiver, "payments", body, 0).await);
    assert_eq!(
        receiver.stats("payments").await,
        json!({ "accepted": 1, "duplicates": 1, "refused": { "outage": 1 } })
    );
}

#[tokio::test]
async fn with_on_outage_allow_events_are_handled_while_redis_is_away() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    redis.kill();
    let allow = format!("{REDIS}on_outage = \"allow\"\n");
    let receiver = Receiver::with_config_and_env(&config(&allow), &[("REDIS_URL", &redis.url())]);
    for _ in 0..2 {
        assert_handled(&send(&receiver, "payments", r#"{"id":"evt_1"}"#, 0).await);
    }
    assert_eq!(counts(&receiver, "payments").await, (2, 0));
}

#[tokio::test]
async fn a_wrong_password_of_redis_is_refused_and_stands_in_no_output() {
    const WRONG: &str = "opensesame-but-wrong";
    let Some(redis) = Redis::start_with("opensesame") else {
        return;
    };
    let url = format!("redis://:{WRONG}@127.0.0.1:{}/", redis.port());
    let receiver = Receiver::with_config_and_env(&config(REDIS), &[("REDIS_URL", &url)]);
    let answer = send(&receiver, "payments", r#"{"id":"evt_1"}"#, 0).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body.len(), 0);
    receiver.signal("TERM");
    let ended = receiver.ended();
    // The operator is told, so there was something to keep quiet about.
    assert!(ended.stderr.contains("delivery"), "{}", ended.stderr);
    for output in [&ended.stdout, &ended.stderr] {
        assert!(!output.contains("opensesame"), "{output}");
    }

    let right = Receiver::with_config_and_env(&config(REDIS), &[("REDIS_URL", &redis.url())]);
    assert_handled(&send(&right, "payments", r#"{"id":"evt_1"}"#, 0).await);
}

#[test]
fn a_url_that_is_none_stops_the_start_and_is_not_shown() {
    let url = "url = \"http://:opensesame@127.0.0.1/\"";
    let config = config(REDIS).replace("url = { env = \"REDIS_URL\" }", url);
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("webhooks.toml");
    fs::write(&file, config).unwrap();
    let ended = receiver::run(["--config", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("deliveries: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("redis://"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("opensesame"), "{}", ended.stderr);
}
