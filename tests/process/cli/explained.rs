//! `explain` and `verify` say the same of one request, and what they cannot say.

use super::{Desk, RECEIVED, SECRET};

/// A capture of a request with a token, as `listen --save` writes it.
const WITHOUT_TOKEN: &str = r#"{"method":"POST","target":"/webhooks/gl","received_at":1795860000,
    "headers":[["X-Gitlab-Token","[redacted]"],["Content-Type","application/json"]],"body":"{}"}"#;

#[test]
fn a_capture_without_its_token_is_not_judged() {
    let desk = Desk::new();
    desk.write("token.json", WITHOUT_TOKEN);
    let common = ["gitlab-token", "--secret-env", "SECRET", "token.json"];
    for command in ["verify", "explain"] {
        let args = [&[command][..], &common].concat();
        let ended = desk.run(args.iter().copied());
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let said = &ended.stdout;
        assert!(
            said.starts_with("incomplete: the token was left out of the capture"),
            "{said}"
        );
        assert!(
            said.contains("listen") && !said.contains("another"),
            "{said}"
        );
        assert_eq!(desk.json(args)["verdict"], "incomplete");
    }
    let verify = [&["verify", "--no-explain"][..], &common].concat();
    assert_eq!(desk.run(verify).code, Some(3));
}

/// What is missing in the setup is named by both, and is no proof of anything else.
#[test]
fn what_verify_needs_explain_needs_as_well() {
    let desk = Desk::new();
    let url = "https://hooks.example.com/webhooks/x";
    let param = format!("url={url}");
    let sign = [
        "sign",
        "square",
        "--secret-env",
        "SECRET",
        "event.json",
        "--http",
        "--url",
        url,
    ];
    let sign = [&sign[..], &["--param", &param]].concat();
    let signed = desk.run(sign);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    desk.write("square.http", &signed.stdout);
    let run = |command, rest: &[&'static str]| {
        let args = [
            &[command, "square", "square.http", "--now", RECEIVED][..],
            rest,
        ]
        .concat();
        desk.run(args)
    };
    for command in ["verify", "explain"] {
        let ended = desk.run([command, "github", "captured.http"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("there is no secret"), "{ended:?}");
    }
    let secret = ["--secret-env", "SECRET"];
    let verified = run("verify", &secret);
    assert_eq!(verified.code, Some(2), "{verified:?}");
    let explained = run("explain", &secret).stdout;
    assert!(explained.contains("[refused:setup]"), "{explained}");
    assert!(
        verified
            .stderr
            .contains("the provider signs the address of the request"),
        "{verified:?}"
    );
    assert!(
        explained.contains("do:      url: the scheme signs the URL"),
        "{explained}"
    );
    // Another secret may be the one.
    desk.write(
        "next.env",
        &format!("RIGHT=\"{SECRET}\" # the current one\n"),
    );
    let found = run("explain", &["--secrets-from", "next.env"]).stdout;
    assert!(found.contains("other-secret:RIGHT"), "{found}");
}

#[test]
fn a_request_of_a_group_is_explained_for_the_member_that_it_is_for() {
    const GROUP: &str = r#"
[endpoints.a]
provider = "stripe"
secret = { env = "OTHER_SECRET" }

[endpoints.b]
provider = "stripe"
secret = { env = "SECRET" }

[endpoints.all]
any_of = ["a", "b"]
"#;
    let desk = Desk::new();
    desk.write("group.toml", GROUP);
    let request = desk.read("stripe.http").replace("\r\n", "\n");
    let (head, body) = request.split_once("\n\n").unwrap();
    let body = body.replace(',', ",\n ");
    desk.write("pretty.http", &format!("{head}\n\n{body}"));
    let args = [
        "explain",
        "all",
        "--config",
        "group.toml",
        "pretty.http",
        "--now",
        RECEIVED,
    ];
    let report = desk.json(args);
    assert_eq!(report["cause"], "json:compact", "{report}");
    assert_eq!(report["endpoint"], "b", "{report}");
}
