//! `remote_keys` in a configuration file.

use support::https::{Authority, HttpsServer, Reply};
use tower_webhook::{Config, PublicKey};

use super::*;

fn endpoint(lines: &str) -> Result<Config, String> {
    let text = format!("[endpoints.it]\n{lines}");
    Config::from_toml_str(&text).map_err(|error| error.to_string())
}

#[test]
fn mistakes_name_their_remedy() {
    for (lines, problem) in [
        (
            "provider = \"github\"\nremote_keys = true",
            "remote_keys: provider github signs with a secret, which is never fetched; set the secret instead",
        ),
        (
            "provider = \"github\"\nremote_keys = \"https://a.example/\"",
            "remote_keys: provider github signs with a secret",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = \"http://a.example/\"",
            "remote_keys: http:// is not encrypted",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = \"a.example\"",
            "remote_keys: it does not begin with https://",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = { url = \"https://a@b.example/\" }",
            "remote_keys: it has a user",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = { lifetime = \"soon\" }",
            "remote_keys: lifetime: ",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = { lifetime = \"5s\" }",
            "remote_keys: lifetime: it is less than a minute",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = { roots = \"/no/such/file\" }",
            "remote_keys: roots: /no/such/file cannot be read",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = { uri = \"https://a.example/\" }",
            "remote_keys: uri: unknown key",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = 7",
            "remote_keys: expected true, an address in quotes, or { url = … }",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = true\npublic_key = \"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"",
            "remote_keys: the keys are fetched, so there is nothing else to verify with",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = true\nkey_source = true",
            "remote_keys: the keys are fetched",
        ),
        (
            "provider = \"fal-ai\"",
            "public_key: none is set; set remote_keys = true to fetch the keys that the provider publishes",
        ),
        (
            "provider = \"fal-ai\"\nremote_keys = false",
            "public_key: none is set; set remote_keys = true",
        ),
        (
            "provider = \"sendgrid\"\nremote_keys = true",
            "remote_keys: provider sendgrid publishes no keys at an address that is known here",
        ),
        (
            "provider = \"circle\"\nremote_keys = true",
            "remote_keys: provider circle has its keys in an API that needs credentials (GET https://api.circle.com/v2/notifications/publicKey/{id}); call it in RemoteKeys::by_id",
        ),
        (
            "provider = \"ebay\"\nremote_keys = true",
            "remote_keys: provider ebay has its keys in an API",
        ),
        (
            "provider = \"plaid\"\nremote_keys = true",
            "remote_keys: provider plaid has its keys in an API",
        ),
        (
            "provider = \"connectwise\"\nremote_keys = true",
            "the parameter \"key_url\" restricts; set it",
        ),
        (
            "provider = \"paypal\"\nremote_keys = true\nwebhook_id = \"7\"\naccept_unsigned_body = true",
            "remote_keys: provider paypal has certificates that lead to a root; set roots",
        ),
        (
            "provider = \"aws-sns\"\nremote_keys = \"https://a.example/\"\ntopic_arn = \"a\"\naccept_unsigned_body = true",
            "remote_keys: every request names the address of the certificate; write remote_keys = true",
        ),
        (
            "provider = \"aws-sns\"\ntopic_arn = \"a\"\naccept_unsigned_body = true",
            "public_key: none is set; set remote_keys = true",
        ),
        (
            "provider = \"connectwise\"\nremote_keys = true\nkey_url = \"http://a.example/\"",
            "key_url: http:// is not encrypted",
        ),
    ] {
        let error = endpoint(lines).err().unwrap_or_else(|| panic!("{lines}"));
        assert!(error.contains(problem), "{lines}: {error}");
    }
}

#[test]
fn addresses_are_those_of_the_provider_or_the_file() {
    for lines in [
        "provider = \"fal-ai\"\nremote_keys = true",
        "provider = \"fal-ai\"\nremote_keys = { lifetime = \"10m\", grace = \"1h\" }",
        "provider = \"fireblocks-v2\"\nremote_keys = \"https://eu-keys.fireblocks.io/.well-known/jwks.json\"",
        "provider = \"fusionauth\"\nremote_keys = \"https://auth.example.com/.well-known/jwks.json\"",
        "provider = \"google-pubsub\"\nremote_keys = true\naccept_unsigned_body = true\naudience = \"a\"\nemail = \"e\"",
        "provider = \"truelayer\"\nremote_keys = true\njku = \"https://webhooks.truelayer-sandbox.com/.well-known/jwks\"",
        "provider = \"connectwise\"\nremote_keys = true\nkey_url = \"https://na.myconnectwise.net/keys/\"",
        "provider = \"aws-sns\"\nremote_keys = true\ntopic_arn = \"a\"\naccept_unsigned_body = true",
        "provider = \"plaid\"\nkey_source = true",
    ] {
        endpoint(lines).unwrap_or_else(|error| panic!("{lines}: {error}"));
    }
}

#[tokio::test]
async fn layers_of_one_configuration_share_what_they_fetch() {
    let authority = Authority::new();
    let server = HttpsServer::start(&authority, Reply::Document(set(&[0]), "")).await;
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, &authority.pem).unwrap();
    let url = server.url("/jwks.json");
    let roots = roots.to_str().unwrap();
    let lines =
        format!("provider = \"fal-ai\"\nremote_keys = {{ url = \"{url}\", roots = \"{roots}\" }}");
    let config = endpoint(&lines).unwrap();
    for _ in 0..3 {
        let layer = config.layer("it").unwrap().with_clock(|| at(NOW));
        let hook = Hook { layer };
        assert_eq!(hook.verdict(signed(0)).await, Ok(()));
        let mismatch = Err(RejectionKind::SignatureMismatch);
        assert_eq!(hook.verdict(signed(1)).await, mismatch);
    }
    assert_eq!(server.requests(), ["GET /jwks.json HTTP/1.1"]);
}

#[tokio::test]
async fn the_application_looks_keys_up_where_an_api_needs_credentials() {
    let vector = vectors::accepted("circle");
    let config = endpoint("provider = \"circle\"\nkey_source = true").unwrap();
    let keys = RemoteKeys::by_id(|id| async move {
        assert_eq!(id, "879dc113-5ca4-4ff7-a6b7-54652083fcf8");
        Ok(Some(PublicKey::new(
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwO6wdQ+Ihu9P+LiVIk77fI9ZARbjOyAbOO5CgPKGg47gCVGXHRExeOOvC6zXviFnm9xAjyCRoLOeVqd1lT3unA==",
        )))
    });
    let layer = config.layer_with_remote_keys("it", keys).unwrap();
    let hook = Hook { layer }.at(vector.now);
    assert_eq!(hook.verdict(vector.request()).await, Ok(()));

    let config = endpoint("provider = \"github\"\nkey_source = true").unwrap();
    let keys = RemoteKeys::by_id(|_| async { Ok(None) });
    let error = config.layer_with_remote_keys("it", keys).unwrap_err();
    assert!(error.to_string().contains("signs with a secret"), "{error}");
}
