//! Measures how much a request slows down while a second thread also receives requests.
//!
//! Each thread has a separate clone of one service, like two connections of a server. Each row also
//! runs with a clone per request, as in hyper-util and axum. Times are processor times of one of
//! the two threads.

use std::{
    fmt::Debug,
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use hmac::Mac;
use http::{Request, Response};
use tower::{Layer, Service};
use tower_github_webhook::ValidateGitHubWebhookLayer;
use tower_webhook::{
    WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
};
use tower_webhook_benches::{
    body::Frames,
    figures::{self, Figure},
    place::Place,
    rounds::{Spread, cpu_time},
    row::{BARE, DELIVERY, Function, OURS, Row, Tower},
    rows::{HASH, Nothing},
    workload::{Sample, Style, Workload},
};

/// The number of requests in a batch.
const BATCH: usize = 256;
/// The number of batches in a round.
const BATCHES: usize = 8;

/// Creates the row of one thread.
type Make = Box<dyn Fn() -> Box<dyn Row> + Send + Sync>;

fn main() {
    let seconds = std::env::args()
        .nth(1)
        .map_or(1.0, |text| text.parse().unwrap());
    let budget = Duration::from_secs_f64(seconds);
    println!("## Two threads\n\n| workload | row | own clone | clone for each request |");
    println!("| --- | --- | ---: | ---: |");
    let mut reached = Vec::new();
    for style in [Style::GitHub, Style::Standard] {
        for size in [71, 1024] {
            let workload = Workload::of(style, size);
            for (name, make) in rows(workload) {
                let [own, cloned] = make.map(|make| measure(&make, budget));
                let cell = |spread: Spread| {
                    let Spread { low, middle, high } = spread;
                    format!("{middle:.2} ±{:.2}", (high - low) / 2.0)
                };
                println!("| {workload} | {name} | {} | {} |", cell(own), cell(cloned));
                if name == OURS {
                    let what = format!("two threads against one, {workload}");
                    reached.push(Figure::new(what, 1.10, own.middle, ""));
                }
            }
        }
    }
    figures::print(&reached);
}

fn rows(workload: Workload) -> Vec<(&'static str, [Make; 2])> {
    let layer = WebhookVerifyLayer::new(workload.verifier());
    let mac = workload.mac();
    let hash = move || -> Make {
        let mac = mac.clone();
        Box::new(move || {
            let (mac, body) = (mac.clone(), Sample::new(workload).body);
            let hash = move || {
                let mut mac = black_box(&mac).clone();
                mac.update(&body);
                black_box(mac.finalize());
                true
            };
            Box::new(Function::new(HASH, Place::Floor, true, hash))
        })
    };
    let store = DeliveryLayer::new(MemoryStore::new()).layer(Nothing);
    let mut rows = vec![
        (HASH, [hash(), hash()]),
        (BARE, both(BARE, workload, Nothing)),
        (OURS, both(OURS, workload, layer.layer(Nothing))),
        (DELIVERY, both(DELIVERY, workload, layer.layer(store))),
    ];
    if workload.style == Style::GitHub {
        let name = "tower-github-webhook";
        let service = ValidateGitHubWebhookLayer::new(workload.secret()).layer(Nothing);
        rows.push((name, both(name, workload, service)));
    }
    rows
}

fn both<S, R: 'static>(name: &'static str, workload: Workload, service: S) -> [Make; 2]
where
    S: Service<Request<Frames>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: Debug,
{
    let cloned = EachClone(service.clone());
    [make(name, workload, service), make(name, workload, cloned)]
}

/// Each thread has separate requests, so that the threads share no memory and no delivery.
fn make<S, R: 'static>(name: &'static str, workload: Workload, service: S) -> Make
where
    S: Service<Request<Frames>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: Debug,
{
    Box::new(move || {
        static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let sample = Sample::new(workload);
        let request = move || match name {
            DELIVERY => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                Sample::numbered(workload, number).request(|body| body)
            }
            _ => sample.request(|body| body),
        };
        Box::new(Tower::new(
            name,
            Place::Tower,
            true,
            request,
            service.clone(),
        ))
    })
}

/// Clones the service for each request.
#[derive(Clone)]
struct EachClone<S>(S);

impl<S, Q> Service<Q> for EachClone<S>
where
    S: Service<Q> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Q) -> S::Future {
        self.0.clone().call(request)
    }
}

/// The time per request with both threads busy, as a multiple of the time with one, for each round.
fn measure(make: &Make, budget: Duration) -> Spread {
    let (barrier, ended) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut row = make();
            loop {
                barrier.wait();
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                receive(row.as_mut());
            }
        });
        let mut row = make();
        receive(row.as_mut());
        let (mut ratios, start) = (Vec::new(), Instant::now());
        while ratios.len() < 11 || start.elapsed() < budget {
            let single = receive(row.as_mut());
            barrier.wait();
            let together = receive(row.as_mut());
            ratios.push(together / single);
        }
        ended.store(true, Ordering::SeqCst);
        barrier.wait();
        Spread::of(ratios)
    })
}

/// The processor time of a round.
fn receive(row: &mut dyn Row) -> f64 {
    let mut took = 0.0;
    for _ in 0..BATCHES {
        row.prepare(BATCH);
        let start = cpu_time();
        row.run().unwrap();
        took += cpu_time() - start;
    }
    took
}
