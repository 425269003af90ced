//! The demo endpoints, and the commands that try them out.

use std::{fmt::Write, net::SocketAddr};

/// One provider with a public secret.
struct Demo {
    /// A built-in provider, which is also the name of the endpoint.
    provider: &'static str,
    secret: &'static str,
    /// Further configuration lines of the endpoint.
    options: &'static str,
    /// A body without single quotes; one with `\\r\\n` is a format for `printf`.
    body: &'static str,
    /// A forged body.
    forged: &'static str,
    /// Headers for double quotes in a shell. `SECRET` and `BODY` are replaced; neither contains a
    /// single quote.
    headers: &'static [&'static str],
}

/// A body of Authenteq, as a format for `printf`.
const AUTHENTEQ: &str = concat!(
    r"--demo\r\nContent-Disposition: form-data; name=result\r\n\r\n",
    r#"{"id":"session-1","status":"PASSED","documentData":{"documentType":"PP"}}"#,
    r"\r\n--demo\r\nContent-Disposition: form-data; name=faceImage; filename=face.jpg\r\n",
    r"Content-Type: image/jpeg\r\n\r\na face\r\n--demo--",
);
const AUTHENTEQ_FORGED: &str = concat!(
    r"--demo\r\nContent-Disposition: form-data; name=result\r\n\r\n",
    r#"{"id":"session-2","status":"PASSED","documentData":{"documentType":"PP"}}"#,
    r"\r\n--demo--",
);

// `$((t=$(date +%s)))` is the time now, and sets `t` for the headers after it.
const DEMOS: &[Demo] = &[
    Demo {
        provider: "authenteq",
        secret: "tower-webhook-demo-secret",
        options: "client_id = \"demo-client\"",
        body: AUTHENTEQ,
        forged: AUTHENTEQ_FORGED,
        headers: &[
            "Content-Type: multipart/form-data; boundary=demo",
            "X-CLIENT-ID: demo-client",
            "X-SIGNATURE: $(printf -- 'BODYSECRET' \
             | openssl dgst -sha256 -binary | od -An -v -tx1 | tr -d ' \\n')",
        ],
    },
    Demo {
        provider: "voveid",
        secret: "whsec_dG93ZXItd2ViaG9vay1kZW1vLWtleS0x",
        options: "family = \"kyc\"",
        body: r#"{"status":"pending","refId":"customer-7"}"#,
        forged: r#"{"status":"successful","refId":"customer-7"}"#,
        headers: &[
            "Content-Type: application/json",
            "svix-id: msg_$((t=$(date +%s)))",
            "svix-timestamp: $t",
            "svix-signature: v1,$(printf %s \"msg_$t.$t.\"'BODY' \
             | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf %s 'SECRET' | cut -d_ -f2 \
             | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n') -binary | openssl base64 -A)",
        ],
    },
    Demo {
        provider: "idenfy",
        secret: "tower-webhook-demo-secret",
        options: "",
        body: r#"{"final":false,"status":{"overall":"APPROVED"},"scanRef":"scan-1","clientId":"customer-7"}"#,
        forged: r#"{"final":true,"status":{"overall":"APPROVED"},"scanRef":"scan-1","clientId":"customer-7"}"#,
        headers: &[
            "Content-Type: application/json",
            "Idenfy-Event-Type: IDENTIFICATION_AUTO_FINISHED",
            "Idenfy-Signature: $(printf %s 'BODY' \
             | openssl dgst -sha256 -hmac 'SECRET' -binary | od -An -v -tx1 | tr -d ' \\n')",
        ],
    },
    Demo {
        provider: "authento",
        secret: "tower-webhook-demo-secret",
        options: "",
        body: r#"{"event":"PENDING","userId":"user-1","userIdentifier":"customer-7","status":{"basic":"PROCESSING"}}"#,
        forged: r#"{"event":"REVIEWED","userId":"user-1","userIdentifier":"customer-7","status":{"basic":"VERIFIED"}}"#,
        headers: &[
            "Content-Type: application/json",
            "X-PAYLOAD-DIGEST: $(printf %s 'BODY' \
             | openssl dgst -sha256 -hmac 'SECRET' -binary | od -An -v -tx1 | tr -d ' \\n')",
        ],
    },
];

/// The demo as a configuration file.
pub(crate) fn config() -> String {
    DEMOS.iter().fold(String::new(), |mut text, demo| {
        let Demo {
            provider,
            secret,
            options,
            ..
        } = demo;
        let _ = writeln!(
            text,
            "[endpoints.{provider}]\nprovider = {provider:?}\nsecret = {secret:?}\n{options}"
        );
        text
    })
}

/// For each provider a command that is accepted and one that is refused, one per line. They compute
/// time and signature when they run.
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
        let data = if sent.contains(r"\r\n") {
            format!("--data-binary \"$(printf -- '{sent}')\"")
        } else {
            format!("-d '{sent}'")
        };
        format!("curl -sS -i {url}{headers} {data}")
    }
}
