//! What the middleware of `HandshakeLayer` and of `DeliveryLayer` have in common: a handler that is
//! shared by the requests, and a boxed future.

/// The type of a middleware, for a layer whose `options()` are behind an `Arc`. What it does with a
/// request is an `async fn(inner: Rc<S>, options: Arc<Options>, request: ServiceRequest)`.
macro_rules! boxed_middleware {
    ($(#[$transform:meta])* $layer:ident($options:ty) => $middleware:ident by $act:ident) => {
        $(#[$transform])*
        impl<S, B> Transform<S, ServiceRequest> for $layer
        where
            S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
            B: MessageBody + 'static,
        {
            type Response = ServiceResponse<EitherBody<B>>;
            type Error = Error;
            type InitError = ();
            type Transform = $middleware<S>;
            type Future = Ready<Result<Self::Transform, ()>>;

            fn new_transform(&self, inner: S) -> Self::Future {
                ready(Ok($middleware {
                    inner: Rc::new(inner),
                    options: Arc::clone(self.options()),
                }))
            }
        }

        #[doc = concat!("The actix-web service that [`", stringify!($layer), "`] creates.")]
        pub struct $middleware<S> {
            inner: Rc<S>,
            options: Arc<$options>,
        }

        impl<S, B> Service<ServiceRequest> for $middleware<S>
        where
            S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
            B: MessageBody + 'static,
        {
            type Response = ServiceResponse<EitherBody<B>>;
            type Error = Error;
            type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

            fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
                self.inner.poll_ready(cx)
            }

            fn call(&self, request: ServiceRequest) -> Self::Future {
                Box::pin($act(Rc::clone(&self.inner), Arc::clone(&self.options), request))
            }
        }

        impl<S: fmt::Debug> fmt::Debug for $middleware<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($middleware))
                    .field("inner", &self.inner)
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use boxed_middleware;
