//! Routes from the configuration: the layers of an endpoint in the right order.

#[cfg(feature = "axum")]
use std::convert::Infallible;

#[cfg(feature = "axum")]
use ::axum::{
    handler::Handler,
    routing::{MethodRouter, any},
};

use crate::{
    config::Config, delivery::layer::DeliveryLayer, error::SetupError,
    handshake::layer::HandshakeLayer, keys::source::KeySource, tower::layer::WebhookVerifyLayer,
};

/// The layers of one endpoint.
#[derive(Clone)]
pub(super) struct Layers {
    pub(super) verify: WebhookVerifyLayer,
    pub(super) handshake: HandshakeLayer,
    pub(super) deliveries: Option<DeliveryLayer>,
}

impl Layers {
    fn new(verify: WebhookVerifyLayer, deliveries: Option<DeliveryLayer>) -> Self {
        Self {
            handshake: HandshakeLayer::new(&verify),
            deliveries,
            verify,
        }
    }

    /// From the inside: what is claimed is verified, and no handshake is claimed.
    #[cfg(feature = "axum")]
    fn route<H, T, S>(self, handler: H) -> MethodRouter<S, Infallible>
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        let mut route: MethodRouter<S, Infallible> = any(handler);
        if let Some(deliveries) = self.deliveries {
            route = route.layer(deliveries);
        }
        let route: MethodRouter<S, Infallible> = route.layer(self.handshake.clone());
        let route: MethodRouter<S, Infallible> = route.layer(self.verify);
        route.layer(self.handshake)
    }
}

impl Config {
    pub(super) fn layers(&self, name: &str) -> Result<Layers, SetupError> {
        Ok(Layers::new(self.layer(name)?, self.deliveries()?))
    }

    pub(super) fn layers_with_key_source(
        &self,
        name: &str,
        source: impl KeySource + 'static,
    ) -> Result<Layers, SetupError> {
        let verify = self.layer_with_key_source(name, source)?;
        Ok(Layers::new(verify, self.deliveries()?))
    }

    /// A route for an endpoint: its [handshakes](crate::handshake) are answered, its events
    /// verified and, with a table `[deliveries]`, deduplicated, in this order.
    ///
    /// It takes every method with which the provider may ask. The handler sees events only: `POST`
    /// and other methods that are not safe, unless the scheme signs the method or the query.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use axum::{Router, body::{Body, to_bytes}, http::{Request, StatusCode}};
    /// use tower::ServiceExt;
    /// use tower_webhook::{Config, VerifiedEvent};
    ///
    /// async fn on_event(event: VerifiedEvent) -> StatusCode {
    ///     println!("{} bytes", event.body().len());
    ///     StatusCode::OK
    /// }
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints.pages]
    ///     provider     = "meta"
    ///     secret       = "the-secret-of-the-app"   # better: { env = "META_APP_SECRET" }
    ///     verify_token = "the-token-of-the-dashboard"
    ///
    ///     [deliveries]
    ///     store = "memory"
    /// "#)?;
    /// let app: Router = Router::new().route("/webhooks/pages", config.route("pages", on_event)?);
    ///
    /// let asked = "/webhooks/pages?hub.mode=subscribe&hub.verify_token=the-token-of-the-dashboard&hub.challenge=42";
    /// let answer = app.clone().oneshot(Request::get(asked).body(Body::empty())?).await?;
    /// assert_eq!(to_bytes(answer.into_body(), 100).await?, "42");
    ///
    /// for expected in [StatusCode::OK, StatusCode::OK] {
    ///     let event = config.signer("pages")?.sign(Request::post("/webhooks/pages"), "{}")?;
    ///     let answer = app.clone().oneshot(event.map(Body::from)).await?;
    ///     assert_eq!(answer.status(), expected);
    /// }
    /// # Ok(()) })
    /// # }
    /// ```
    ///
    /// At shutdown, drain the [deliveries](Self::deliveries), which all routes share.
    /// [`HandshakeLayer`] shows how the same is done by hand, for a hook or another option of a
    /// layer.
    ///
    /// # Errors
    ///
    /// As for [`layer`](Self::layer) and [`deliveries`](Self::deliveries).
    #[cfg(feature = "axum")]
    pub fn route<H, T, S>(&self, name: &str, handler: H) -> Result<MethodRouter<S>, SetupError>
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        Ok(self.layers(name)?.route(handler))
    }

    /// As [`route`](Self::route), for an endpoint whose keys come from a [`KeySource`].
    ///
    /// # Errors
    ///
    /// As for [`layer_with_key_source`](Self::layer_with_key_source) and
    /// [`deliveries`](Self::deliveries).
    #[cfg(feature = "axum")]
    pub fn route_with_key_source<H, T, S>(
        &self,
        name: &str,
        source: impl KeySource + 'static,
        handler: H,
    ) -> Result<MethodRouter<S>, SetupError>
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        Ok(self.layers_with_key_source(name, source)?.route(handler))
    }
}
