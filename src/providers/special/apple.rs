//! Apple, App Store Server Notifications: a JSON Web Signature that is the body, with certificates.

use std::{borrow::Cow, sync::Arc, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{
    error::SetupError,
    json::{self, Object},
    provider::{Provider, message::Message},
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        certificates::{CertificateRule, ROOTS},
        definition::Scheme,
        encoding::Encoding,
        jwt::Token,
        locator::Locator,
        params::{Params, parameter},
        signature::SignatureFormat,
        special::{
            Draft, Freshness, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement,
        },
        timestamp::{TimeUnit, Tolerance},
    },
};

const PAYLOAD: &str = "signedPayload";
const CHAIN: &str = "x5c";
const BUNDLE_ID: &str = "bundle_id";
const ENVIRONMENT: &str = "environment";
const APP_ID: &str = "app_apple_id";
const ENVIRONMENTS: [&str; 2] = ["Production", "Sandbox"];
/// Apple's own library requires this number, and these marks.
const CHAIN_LENGTH: usize = 3;

static CERTIFICATES: CertificateRule = CertificateRule {
    // Its SHA-256 is 63343abf…3e9179, which <https://www.apple.com/certificateauthority/> shows.
    roots: include_str!("apple/root-g3.pem"),
    names: &[],
    leaf_mark: Some("1.2.840.113635.100.6.11.1"),
    issuer_mark: Some("1.2.840.113635.100.6.2.1"),
    in_request: Some(CHAIN_LENGTH),
};

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::found_by_code(Encoding::Base64Url);
    let scheme = Scheme::signed(Algorithm::EcdsaP256Sha256Fixed, "", signature)
        .with_special(Special(Arc::new(Apple)));
    Provider::new("apple-assn", scheme)
        .with_variant_name("jws")
        .with_docs(
            "https://developer.apple.com/documentation/appstoreservernotifications/responsebodyv2",
        )
        .with_message(Message::Jws(PAYLOAD))
        .with_event_type(Locator::json("/notificationType"))
        .with_delivery_id(Locator::json("/notificationUUID"))
        // An attempt after 1, 12, 24, 48 and 72 hours.
        .with_retry_horizon(Duration::from_secs(7 * 24 * 60 * 60))
}

#[derive(Debug)]
struct Apple;

/// The app that notifications have to be about.
#[derive(Clone)]
struct App {
    bundle_id: String,
    environment: String,
    id: Option<i64>,
}

impl App {
    fn of(params: &Params) -> Self {
        let text = |name| params.get(name).map_or("", |value| &**value).to_owned();
        Self {
            bundle_id: text(BUNDLE_ID),
            environment: text(ENVIRONMENT),
            id: params.get(APP_ID).and_then(|id| id.parse().ok()),
        }
    }

    /// Refuses a notification about another app. As Apple's library, it takes the first of the
    /// objects that say which app it is.
    fn check(&self, payload: &Object) -> Result<(), Reason> {
        let objects = ["data", "summary", "externalPurchaseToken", "appData"];
        let objects = objects.iter().filter_map(|name| payload.get(*name));
        let mut objects = objects.filter(|object| !object.is_null());
        let about = objects.next().and_then(Value::as_object);
        let about = about.ok_or_else(|| refused(RejectionKind::MissingField, "data"))?;
        let environment = match about.get("externalPurchaseId").and_then(Value::as_str) {
            Some(id) if payload.contains_key("externalPurchaseToken") => {
                Some(if id.starts_with("SANDBOX") {
                    "Sandbox"
                } else {
                    "Production"
                })
            }
            _ => about.get("environment").and_then(Value::as_str),
        };
        let app_id = about.get("appAppleId").and_then(Value::as_i64);
        let unexpected = |name| Err(refused(RejectionKind::UnexpectedClaim, name));
        if about.get("bundleId").and_then(Value::as_str) != Some(&self.bundle_id) {
            return unexpected("bundleId");
        }
        if environment != Some(&*self.environment) {
            return unexpected("environment");
        }
        if self.id.is_some() && app_id != self.id {
            return unexpected("appAppleId");
        }
        Ok(())
    }
}

impl SpecialScheme for Apple {
    fn params(&self) -> Vec<Cow<'static, str>> {
        [BUNDLE_ID, ENVIRONMENT, APP_ID, ROOTS]
            .map(Into::into)
            .into()
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        let needed = [BUNDLE_ID, ENVIRONMENT].map(|name| parameter(params, name));
        SetupError::all(needed.into_iter().filter_map(Result::err))?;
        let environment = parameter(params, ENVIRONMENT)?;
        if !ENVIRONMENTS.contains(&environment) {
            return Err(SetupError::new(
                "environment: expected \"Production\" or \"Sandbox\"",
            ));
        }
        match params.get(APP_ID) {
            None if environment == "Production" => Err(SetupError::new(
                "app_apple_id: notifications of the production environment have it; set it to the number that App Store \
                 Connect shows as Apple ID of the app",
            )),
            Some(id) if id.parse::<i64>().is_err() => Err(SetupError::new(
                "app_apple_id: expected the number that App Store Connect shows as Apple ID of the app, in quotes",
            )),
            _ => Ok(()),
        }
    }

    fn tolerance(&self) -> Option<Tolerance> {
        Some(Tolerance::off())
    }

    fn certificates(&self) -> Option<&'static CertificateRule> {
        Some(&CERTIFICATES)
    }

    fn has_plain_signature(&self) -> bool {
        false
    }

    fn signs_within_body(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let (app, freshness) = (App::of(head.params), Freshness::of(head));
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| statement(body, &app, freshness)),
        })
    }

    /// Signs the payload, which the body is or has.
    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        if draft.certificates.is_empty() {
            return Err(
                "a request has the certificates of its key; call with_certificates".to_owned(),
            );
        }
        let signed = Message::Jws(PAYLOAD).read(&draft.body);
        let payload = signed.unwrap_or_else(|| draft.body.to_vec());
        let mut payload = json::object(&payload).ok_or("the body is no notification of Apple")?;
        let date = draft.now.saturating_mul(1000);
        payload.insert("signedDate".to_owned(), date.into());
        let chain = draft.certificates.iter().map(|der| STANDARD.encode(der));
        let header = json!({ "alg": "ES256", CHAIN: chain.collect::<Vec<_>>() });
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", encode(header), encode(Value::from_iter(payload)));
        let signature = URL_SAFE_NO_PAD.encode((draft.key)(content.as_bytes())?);
        draft.body = json!({ PAYLOAD: format!("{content}.{signature}") })
            .to_string()
            .into();
        Ok(())
    }
}

#[cold]
fn refused(kind: RejectionKind, field: &str) -> Reason {
    Reason::new(kind).with_field(field)
}

fn statement(body: &[u8], app: &App, freshness: Freshness) -> Result<Vec<Statement>, Reason> {
    let malformed = || refused(RejectionKind::MalformedSignature, PAYLOAD);
    let members = json::object(body);
    let members = members.ok_or_else(|| Reason::new(RejectionKind::MalformedBody))?;
    let token = match members.get(PAYLOAD) {
        // Nothing else is signed.
        Some(Value::String(token)) if members.len() == 1 => token,
        Some(_) => return Err(Reason::new(RejectionKind::MalformedBody)),
        None => return Err(refused(RejectionKind::MissingField, PAYLOAD)),
    };
    let token = Token::parse(token).ok_or_else(malformed)?;
    if token.header.get("alg").and_then(Value::as_str) != Some("ES256") {
        return Err(refused(RejectionKind::MalformedSignature, "alg"));
    }
    if token.header.contains_key("crit") {
        return Err(refused(RejectionKind::UnexpectedClaim, "crit"));
    }
    let chain = chain(token.header.get(CHAIN))?;
    let payload = URL_SAFE_NO_PAD.decode(token.payload).ok();
    let payload = payload.and_then(|payload| json::object(&payload));
    let payload = payload.ok_or_else(malformed)?;
    app.check(&payload)?;
    let time = match payload.get("signedDate") {
        None => None,
        Some(date) => {
            let time = TimeUnit::Milliseconds.parse(&date.to_string());
            let time =
                time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp, "signedDate"))?;
            Some(freshness.check(time, |kind| refused(kind, "signedDate"))?)
        }
    };
    // Each attempt is signed anew.
    let id = payload.get("notificationUUID").and_then(Value::as_str);
    Ok(vec![Statement {
        contents: vec![token.signed.as_bytes().to_vec()],
        signatures: Some(vec![token.signature]),
        identity: id.map(|id| id.as_bytes().to_vec()),
        chain: Some(chain),
        time,
        ..Statement::default()
    }])
}

/// The certificates of a token, in DER.
fn chain(found: Option<&Value>) -> Result<Vec<Vec<u8>>, Reason> {
    let malformed = || refused(RejectionKind::MalformedSignature, CHAIN);
    let chain = found.and_then(Value::as_array);
    let chain = chain.ok_or_else(|| refused(RejectionKind::MissingField, CHAIN))?;
    if chain.len() != CHAIN_LENGTH {
        return Err(malformed());
    }
    let chain = chain.iter().map(|der| STANDARD.decode(der.as_str()?).ok());
    chain.collect::<Option<_>>().ok_or_else(malformed)
}
