//! The request as the endpoint takes it, before anything is changed.

use std::{
    rc::Rc,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    capture::CapturedRequest,
    error::SetupError,
    event::VerifiedEvent,
    explain::{
        Providers, Secrets, scheme, secret,
        shape::{Shape, moment},
        url,
    },
    keys::{key_set::KeySet, secret::Secret},
    rejection::Rejection,
    scheme::{algorithm::Keying, definition::Scheme, timestamp::Tolerance},
    verify::verifier::Verifier,
};

/// Headers that say how long a body is, which is not the body that is tried.
const OF_LENGTH: [&str; 2] = ["content-length", "transfer-encoding"];

/// Why the request is refused as it is.
pub(super) enum Refused {
    Setup(SetupError),
    Rejection(Rejection),
}

/// Verifies the request as the endpoint does.
pub(super) fn as_it_is(
    providers: &Providers,
    secrets: &Secrets,
    captured: &CapturedRequest,
) -> Result<VerifiedEvent, Refused> {
    let provider = providers.endpoint.clone().with_any_coverage();
    let verifier =
        Verifier::new(provider.clone(), secrets.configured.clone()).map_err(Refused::Setup)?;
    let verifier = match (providers.tolerance, captured.received_at()) {
        (_, None) => verifier.with_tolerance(Tolerance::off()),
        (Some(tolerance), _) => verifier.with_tolerance(tolerance),
        (None, _) => verifier,
    };
    let verifier = match providers.max_body {
        Some(bytes) => verifier.with_max_body(bytes),
        None => verifier,
    };
    let head = captured.head();
    // Without a time of receipt, no time is judged, not that of a token either.
    let now = captured
        .received_at()
        .or_else(|| moment(&verifier, &head, UNIX_EPOCH));
    let now = now.unwrap_or(UNIX_EPOCH);
    let verified = verifier.verify(&head, captured.body().clone(), now);
    let event = verified.map_err(Refused::Rejection)?;
    let seconds = event.data().timestamp().map(|time| time.seconds);
    let meant = seconds.and_then(scheme::misread);
    if let (None, Some((meant, _))) = (captured.received_at(), meant) {
        // No clock shows this time, which is one in another unit.
        let meant = Duration::from_secs(meant.unsigned_abs());
        let now = UNIX_EPOCH.checked_add(meant).unwrap_or(UNIX_EPOCH);
        let strict = Verifier::new(provider, secrets.configured.clone()).map_err(Refused::Setup)?;
        let strict = match providers.tolerance {
            Some(tolerance) => strict.with_tolerance(tolerance),
            None => strict,
        };
        let verified = strict.verify(&head, captured.body().clone(), now);
        if let Err(rejection) = verified
            && rejection.skew_seconds().is_some()
        {
            return Err(Refused::Rejection(rejection));
        }
    }
    Ok(event)
}

/// The request as the first variant of the provider takes it. A parameter that the scheme needs and
/// that is not set is left out, or is the URL that the request shows.
pub(super) fn base(providers: &Providers, secrets: &Secrets, captured: &CapturedRequest) -> Shape {
    let provider = providers.endpoint.clone();
    let is_public = secrets.configured.iter().any(|secret| secret.is_public);
    let schemes = provider.all_schemes();
    let fits = |scheme: &&Scheme| (scheme.algorithm().keying() == Keying::Public) == is_public;
    let scheme = schemes.iter().find(fits).or(schemes.first()).cloned();
    let Some(scheme) = scheme else {
        unreachable!("a provider has a scheme");
    };
    let lines = captured.headers().filter(|(name, _)| {
        !OF_LENGTH
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    });
    let headers = lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut shape = Shape {
        provider,
        scheme,
        method: captured.method().into(),
        target: captured.target().into(),
        headers: Rc::new(headers),
    };
    if url::is_lacking(&shape)
        && let Some(seen) = url::seen(&shape)
    {
        shape.provider = shape.provider.with_param("url", seen);
    }
    // Code refuses a placeholder for a parameter that it reads.
    for name in shape.scheme.template_params() {
        if shape.provider.param(&name).is_some() {
            continue;
        }
        let uses = format!("{{param:{name}}}");
        shape
            .scheme
            .require
            .retain(|(_, value)| !value.contains(&uses));
        if shape.scheme.template_params().contains(&name) {
            shape.provider = shape.provider.with_param(name, "unknown");
        }
    }
    shape
}

/// Whether one of the configured secrets is none that the scheme can use.
pub(super) fn is_unusable(shape: &Shape, secrets: &Secrets) -> bool {
    let format = &shape.scheme.secret_format;
    let is_public = shape.scheme.algorithm().keying() == Keying::Public;
    let verifier = Verifier::without_keys(shape.provider.with_only(shape.scheme.clone()));
    let is_key = |secret: &Secret| {
        let Ok(verifier) = &verifier else {
            return true;
        };
        let endpoint = verifier.shared();
        let look = endpoint.provider.secret_look();
        KeySet::for_schemes(&endpoint.schemes, look, vec![secret.clone()]).is_ok()
    };
    secrets
        .configured
        .iter()
        .any(|secret| match secret.is_public {
            true => is_public && !is_key(secret),
            false => secret::decoded(secret.text(), format).is_none(),
        })
}
