//! [`WebhookResource`]: an endpoint of the configuration as a resource of actix-web.

use std::fmt;

use actix_web::{
    Error, FromRequest, Handler, Resource, Responder,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::Condition,
    web,
};

use crate::{
    config::{Config, route::Layers},
    delivery::{layer::DeliveryLayer, memory::MemoryStore},
    error::SetupError,
    keys::source::KeySource,
};

/// An endpoint for actix-web, with its layers in the right order: see
/// [`Config::resource`](crate::Config::resource). Its clones share their state, so that the workers
/// of a server do.
#[derive(Clone)]
pub struct WebhookResource {
    layers: Layers,
}

impl Config {
    /// As [`route`](Self::route), for actix-web. Build it once, outside of the closure that every
    /// worker calls:
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # actix_web::rt::System::new().block_on(async {
    /// use actix_web::{App, HttpResponse, test};
    /// use tower_webhook::{Config, VerifiedEvent};
    ///
    /// async fn on_event(event: VerifiedEvent) -> HttpResponse {
    ///     println!("{} bytes", event.body().len());
    ///     HttpResponse::Ok().finish()
    /// }
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints.files]
    ///     provider = "dropbox"
    ///     secret   = "the-secret-of-the-app"
    ///
    ///     [deliveries]
    ///     store = "memory"
    /// "#)?;
    /// let files = config.resource("files")?;
    /// let app = move || App::new().service(files.at("/webhooks/files", on_event));
    /// // HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?;
    ///
    /// let app = test::init_service(app()).await;
    /// let asked = test::TestRequest::get().uri("/webhooks/files?challenge=42").to_request();
    /// assert_eq!(test::call_and_read_body(&app, asked).await, "42");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`layer`](Self::layer) and [`deliveries`](Self::deliveries).
    pub fn resource(&self, name: &str) -> Result<WebhookResource, SetupError> {
        self.layers(name).map(|layers| WebhookResource { layers })
    }

    /// As [`resource`](Self::resource), for an endpoint whose keys come from a [`KeySource`].
    ///
    /// # Errors
    ///
    /// As for [`layer_with_key_source`](Self::layer_with_key_source) and
    /// [`deliveries`](Self::deliveries).
    pub fn resource_with_key_source(
        &self,
        name: &str,
        source: impl KeySource + 'static,
    ) -> Result<WebhookResource, SetupError> {
        let layers = self.layers_with_key_source(name, source);
        layers.map(|layers| WebhookResource { layers })
    }
}

impl fmt::Debug for WebhookResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookResource")
            .field("verify", &self.layers.verify)
            .finish_non_exhaustive()
    }
}

impl WebhookResource {
    /// The resource at `path`, whose events `handler` gets.
    pub fn at<F, Args>(
        &self,
        path: &str,
        handler: F,
    ) -> Resource<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<F, Args>>,
            Error = Error,
            InitError = (),
        > + use<F, Args>,
    >
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let Layers {
            verify,
            handshake,
            deliveries,
        } = self.layers.clone();
        let is_claimed = deliveries.is_some();
        // A condition needs a layer even if it is off.
        let deliveries = deliveries.unwrap_or_else(|| DeliveryLayer::new(MemoryStore::new()));
        web::resource(path)
            .to(handler)
            .wrap(Condition::new(is_claimed, deliveries))
            .wrap(handshake.clone())
            .wrap(verify)
            .wrap(handshake)
    }
}
