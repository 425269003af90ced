//! What is served without a configuration file, and the commands that try it out.

use std::{fmt::Write, net::SocketAddr};

/// One provider under a secret that everybody knows.
struct Demo {
    /// A built-in provider, which is the endpoint's name too.
    provider: &'static str,
    secret: &'static str,
    /// A body, in JSON without single quotes.
    body: &'static str,
    /// What somebody would like to make of it.
    forged: &'static str,
    /// Headers as they stand in double quotes in a shell. `SECRET` and `BODY` are put in; both are free of characters that
    /// mean something between single quotes.
    headers: &'static [&'static str],
}

// `$((t=$(date +%s)))` is the time now, and sets `t` for the headers after it.
const DEMOS: &[Demo] = &[
    Demo {
        provider: "voveid",
        secret: "whsec_dG93ZXItd2ViaG9vay1kZW1vLWtleS0x",
        body: r#"{"status":"pending","refId":"customer-7"}"#,
        forged: r#"{"status":"successful","refId":"customer-7"}"#,
        headers: &[
            "svix-id: msg_$((t=$(date +%s)))",
            "svix-timestamp: $t",
            "svix-signature: v1,$(printf %s \"msg_$t.$t.\"'BODY' \
             | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf %s 'SECRET' | cut -d_ -f2 \
             | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n') -binary | openssl base64 -A)",
        ],
    },
    Demo {
        provider: "github",
        secret: "tower-webhook-demo-secret",
        body: r#"{"action":"opened","number":7}"#,
        forged: r#"{"action":"closed","number":7}"#,
        headers: &[
            "X-GitHub-Event: pull_request",
            "X-GitHub-Delivery: demo-$(date +%s)",
            "X-Hub-Signature-256: sha256=$(printf %s 'BODY' \
             | openssl dgst -sha256 -hmac 'SECRET' -binary | od -An -v -tx1 | tr -d ' \\n')",
        ],
    },
];

/// The configuration of the demo.
pub(crate) fn config() -> String {
    DEMOS.iter().fold(String::new(), |mut text, demo| {
        let Demo {
            provider, secret, ..
        } = demo;
        let _ = writeln!(
            text,
            "[endpoints.{provider}]\nprovider = {provider:?}\nsecret = {secret:?}"
        );
        text
    })
}

/// For each provider a command that is accepted and one that is refused, each on a line of its own. They compute time
/// and signature when they are run.
pub(crate) fn commands(address: SocketAddr) -> String {
    DEMOS.iter().fold(String::new(), |mut text, demo| {
        let url = format!("http://{address}/webhooks/{}", demo.provider);
        let _ = writeln!(
            text,
            "# {}: signed, accepted with 200\n{}\n\n# {}: changed after it was signed, refused with 401\n{}\n",
            demo.provider,
            demo.command(&url, demo.body),
            demo.provider,
            demo.command(&url, demo.forged),
        );
        text
    })
}

impl Demo {
    /// A command that signs the body and sends `sent`.
    fn command(&self, url: &str, sent: &str) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|header| format!(" -H \"{header}\""))
            .collect();
        let headers = headers
            .replace("SECRET", self.secret)
            .replace("BODY", self.body);
        format!("curl -sS -i {url} -H 'Content-Type: application/json'{headers} -d '{sent}'")
    }
}
