//! Schemes that several providers share: a genuine request of one passes at the others, given its
//! secret.

/// Gives the recipe `$name` to the macro `$then`.
macro_rules! shared {
    (standard_webhooks $then:ident) => {
        $then!([
            HmacSha256 of "{header:webhook-id}.{ts}.{body}", Base64 [list ' ' after "v1,"]
            at [header "webhook-signature"],
            time Seconds at [header "webhook-timestamp"] within 300,
            secret Base64 "whsec_" or "v1,whsec_"
        ])
    };
    (svix $then:ident) => {
        $then!([
            HmacSha256 of "{header:svix-id}.{ts}.{body}", Base64 [list ' ' after "v1,"]
            at [header "svix-signature"],
            time Seconds at [header "svix-timestamp"] within 300,
            secret Base64 "whsec_" or "v1,whsec_"
        ])
    };
    (text_standard_webhooks $then:ident) => {
        $then!([
            HmacSha256 of "{header:webhook-id}.{ts}.{body}", Base64 [list ' ' after "v1,"]
            at [header "webhook-signature"],
            time Seconds at [header "webhook-timestamp"] within 300
        ])
    };
    (hub $then:ident) => {
        $then!([
            HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Hub-Signature-256"]
        ])
    };
    (hub_sha1 $then:ident) => {
        $then!([
            HmacSha1 of "{body}", Hex [after "sha1="] at [header "X-Hub-Signature"]
        ])
    };
    (hub_sha256 $then:ident) => {
        $then!([
            HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Hub-Signature"]
        ])
    };
    (x_signature $then:ident) => {
        $then!([ HmacSha256 of "{body}", Hex at [header "X-Signature"] ])
    };
    (x_hmac_signature $then:ident) => {
        $then!([ HmacSha256 of "{body}", Hex at [header "x-hmac-signature"] ])
    };
    (cashfree $then:ident) => {
        $then!([
            HmacSha256 of "{ts}{body}", Base64 at [header "x-webhook-signature"],
            time Milliseconds at [header "x-webhook-timestamp"] within off
        ])
    };
    (bearer $then:ident) => {
        $then!([ token at [header "Authorization"] after "Bearer " ])
    };
    (authorization $then:ident) => {
        $then!([ token at [header "Authorization"] ])
    };
}
