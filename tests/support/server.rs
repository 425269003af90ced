//! The server under test as a process of its own: the test binary, started again.

use std::{
    collections::HashMap,
    env,
    io::{self, BufRead, BufReader, Read},
    panic::resume_unwind,
    path::Path,
    process::{self, Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tower_webhook::{
    Secret, VerifiedEvent, Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore, OutagePolicy, RedisStore},
    providers,
};

use crate::{
    handler_log::Writer,
    sender::{Event, SECRET},
};

/// What `TimeoutLayer` allows on the routes that have one.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);

const VARIABLE: &str = "TOWER_WEBHOOK_TEST_SERVER";
const READY: &str = "listening on ";

/// How a server is set up. It goes to the process through the environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// `None` for memory.
    redis: Option<String>,
    /// In Redis.
    namespace: String,
    max_in_progress: usize,
    max_completed: usize,
    lease: Duration,
    wait: Duration,
    /// Of one step of Redis.
    timeout: Duration,
    allow: bool,
}

impl Setup {
    pub fn memory() -> Self {
        Self {
            redis: None,
            namespace: "tests".to_owned(),
            max_in_progress: 10_000,
            max_completed: 100_000,
            lease: Duration::from_secs(60),
            wait: Duration::ZERO,
            timeout: Duration::from_secs(1),
            allow: false,
        }
    }

    pub fn redis(url: String) -> Self {
        Self {
            redis: Some(url),
            ..Self::memory()
        }
    }

    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = namespace.to_owned();
        self
    }

    pub fn with_bounds(mut self, max_in_progress: usize, max_completed: usize) -> Self {
        self.max_in_progress = max_in_progress;
        self.max_completed = max_completed;
        self
    }

    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub fn allowing(mut self) -> Self {
        self.allow = true;
        self
    }

    /// Whether servers can share what is remembered.
    pub fn is_shared(&self) -> bool {
        self.redis.is_some()
    }

    fn layer(&self) -> DeliveryLayer {
        let layer = if let Some(url) = &self.redis {
            let store = RedisStore::new(url, &self.namespace).unwrap();
            DeliveryLayer::new(store.with_timeout(self.timeout))
        } else {
            let store = MemoryStore::new().with_max_in_progress(self.max_in_progress);
            DeliveryLayer::new(store.with_max_completed(self.max_completed))
        };
        let on_outage = if self.allow {
            OutagePolicy::Allow
        } else {
            OutagePolicy::Refuse
        };
        layer
            .with_lease(self.lease)
            .with_wait(self.wait)
            .with_outage_policy(on_outage)
    }
}

/// A running server. It is killed with this value.
pub struct Server {
    process: Child,
    address: String,
    /// The server ends when this is closed, which waiting for it would do.
    _stdin: Option<ChildStdin>,
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one whose handlers write to this file, and waits until it listens. `test` is the name
    /// of the test that calls [`serve_if_asked`].
    pub fn start(test: &str, setup: &Setup, log: &Path) -> Self {
        let task = serde_json::to_string(&(setup, log)).unwrap();
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env(VARIABLE, task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(READY) {
            line.clear();
            let read = stdout.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the server did not start");
        }
        let address = line.trim_start_matches(READY).trim_end().to_owned();
        Self {
            _stdin: process.stdin.take(),
            process,
            address,
            _stdout: stdout,
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Lets the gated handlers end, those that come later too.
    pub fn open_gate(&self) {
        self.signal("USR1");
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        // `kill` is built into every shell, and not a program everywhere.
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid])
            .status();
        assert!(sent.unwrap().success(), "signal {name}");
    }

    /// Waits until it has ended by itself, and says whether it ended well.
    pub async fn ended(mut self) -> bool {
        let status = tokio::task::spawn_blocking(move || self.process.wait());
        status.await.unwrap().unwrap().success()
    }

    /// The memory that it has, in KiB.
    #[cfg(target_os = "linux")]
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let words = line.unwrap().split_whitespace().next();
        words.unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Is the server, where this process was started to be one. Else it returns at once.
pub fn serve_if_asked() {
    let Some(task) = env::var_os(VARIABLE) else {
        return;
    };
    let (setup, log): (Setup, String) = serde_json::from_str(task.to_str().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(serve(&setup, &log));
}

async fn serve(setup: &Setup, log: &str) {
    // It ends with the test, even with one that is killed: its stdin is at its end then.
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        process::exit(1);
    });
    let desk = Arc::new(Desk {
        log: Writer::open(log),
        runs: Mutex::default(),
        gate: watch::Sender::new(false),
    });
    let secret = Secret::new(SECRET);
    let verifier = Verifier::new(providers::stripe(), secret).unwrap();
    let verify = WebhookVerifyLayer::new(verifier.with_endpoint("payments"));
    let deliveries = setup.layer();
    let limit = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIME_LIMIT);

    // What is laid around last is what a request meets first.
    let once = || post(handle).route_layer(deliveries.clone());
    let limited = post(handle).route_layer(limit);
    let limited_inside = limited.route_layer(deliveries.clone());
    let router = Router::new()
        .route("/hook", once().route_layer(verify.clone()))
        .route(
            "/limited",
            once().route_layer(verify.clone()).route_layer(limit),
        )
        .route(
            "/limited-inside",
            limited_inside.route_layer(verify.clone()),
        )
        .route(
            "/caught",
            once()
                .route_layer(verify)
                .route_layer(CatchPanicLayer::new()),
        )
        .with_state(Arc::clone(&desk));

    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let mut opens = signal(SignalKind::user_defined1()).unwrap();
    tokio::spawn(async move {
        opens.recv().await;
        desk.gate.send_replace(true);
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // The test harness has begun a line.
    println!("\n{READY}{address}");
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await
        .unwrap();
    deliveries.drain(Duration::from_secs(60)).await;
}

/// What the handlers share.
struct Desk {
    log: Writer,
    runs: Mutex<HashMap<String, u32>>,
    gate: watch::Sender<bool>,
}

impl Desk {
    /// Counts the runs of the deliveries that are to fail.
    fn fails(&self, event: &Event) -> bool {
        if event.fails == 0 {
            return false;
        }
        let mut runs = self.runs.lock().unwrap();
        let count = runs.entry(event.id.clone()).or_default();
        *count += 1;
        *count <= event.fails
    }
}

async fn handle(State(desk): State<Arc<Desk>>, event: VerifiedEvent) -> StatusCode {
    let event: Event = event.json().unwrap();
    let run = desk.log.start(&event.id);
    if event.gated {
        let mut gate = desk.gate.subscribe();
        gate.wait_for(|open| *open).await.unwrap();
    }
    let delay = Duration::from_millis(event.delay_ms);
    if event.blocks {
        let slept = tokio::task::spawn_blocking(move || thread::sleep(delay));
        slept.await.unwrap();
    } else if event.delay_ms > 0 {
        tokio::time::sleep(delay).await;
    }
    if event.panics {
        // Without the message of `panic!`.
        resume_unwind(Box::new("as it was told to"));
    }
    let status = if desk.fails(&event) {
        500
    } else {
        event.answer
    };
    run.answer(status);
    StatusCode::from_u16(status).unwrap()
}
