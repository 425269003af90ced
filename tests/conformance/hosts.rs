//! The hosts: each serves the same routes, each with what is usual there.

use std::{future::Future, net::SocketAddr, pin::Pin};

use crate::{actix_host, axum_host, endpoints::Route, hyper_host};

pub(crate) struct Host {
    pub(crate) name: &'static str,
    /// Serves these routes on a port of its own, until the test ends.
    pub(crate) serve: fn(Vec<Route>) -> Serving,
}

type Serving = Pin<Box<dyn Future<Output = SocketAddr> + Send>>;

pub(crate) const HOSTS: [Host; 3] = [
    Host {
        name: "hyper",
        serve: |routes| Box::pin(hyper_host::serve(routes)),
    },
    Host {
        name: "axum",
        serve: |routes| Box::pin(axum_host::serve(routes)),
    },
    Host {
        name: "actix",
        serve: |routes| Box::pin(actix_host::serve(routes)),
    },
];
