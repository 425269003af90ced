//! Measures the processor time of a server per request over loopback, in user and kernel mode.
//!
//! Each row is a separate process with one worker; this program starts itself. The client keeps a
//! few connections open and sends one batch to each server in each round. Throughput and latency
//! depend more on the machine than on the server, and are not measured.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_setaffinity};
use tower_webhook_benches::{
    figures::{self, Figure},
    rounds::Spread,
    row::{BARE, OURS},
    rows::{NAIVE, TOWER_GITHUB, WEBHOOK_VERIFY, serve},
    workload::{Sample, Style, Workload, bytes},
};

const AXUM: &str = "axum";
const ACTIX: &str = "actix";
const ROWS: [(&str, &str); 8] = [
    (AXUM, BARE),
    (AXUM, OURS),
    (AXUM, NAIVE),
    (AXUM, WEBHOOK_VERIFY),
    (AXUM, TOWER_GITHUB),
    (ACTIX, BARE),
    (ACTIX, OURS),
    (ACTIX, WEBHOOK_VERIFY),
];
const CONNECTIONS: usize = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [framework, row, size] = &arguments[..] {
        return be_a_server(framework, row, size.parse().unwrap());
    }
    stay_on_one_processor();
    let seconds = arguments.first().map_or(1.0, |text| text.parse().unwrap());
    println!("## Server processor time over loopback");
    let mut reached = Vec::new();
    for size in [1 << 10, 1 << 20] {
        let budget = Duration::from_secs_f64(seconds * ROWS.len() as f64);
        reached.extend(measure(Workload::of(Style::GitHub, size), budget));
    }
    figures::print(&reached);
}

fn be_a_server(framework: &str, row: &str, size: usize) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    // Standard input closes when the parent ends, even if it is killed.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let workload = Workload::of(Style::GitHub, size);
    match framework {
        AXUM => serve::axum(listener, row, workload),
        _ => serve::actix(listener, row, workload),
    }
}

/// Pins this process and its servers to one processor, so that a server finds the requests of all
/// connections when it wakes up. Otherwise it may wake up for each request, which costs more than
/// the differences to be measured.
fn stay_on_one_processor() {
    let mut set = CpuSet::new();
    set.set(0);
    sched_setaffinity(None, &set).unwrap();
}

/// A server, and the connections of the client to it.
struct Server {
    child: Child,
    connections: Vec<TcpStream>,
    request: Vec<u8>,
}

impl Server {
    fn start(framework: &str, row: &str, workload: Workload) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([framework, row, &workload.size.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut port).unwrap();
        let port: u16 = port.trim().parse().unwrap();
        let connect = |_| {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            stream.set_nodelay(true).unwrap();
            stream
        };
        Self {
            child,
            connections: (0..CONNECTIONS).map(connect).collect(),
            request: on_the_wire(&Sample::new(workload)),
        }
    }

    /// Sends requests over all connections, and returns the server's time per request in
    /// nanoseconds.
    fn receive(&mut self, requests: usize) -> f64 {
        let before = self.cpu_time();
        for _ in 0..requests.div_ceil(CONNECTIONS) {
            for stream in &mut self.connections {
                stream.write_all(&self.request).unwrap();
            }
            for stream in &mut self.connections {
                let status = answer(stream);
                assert!(status.starts_with("HTTP/1.1 200"), "answered {status}");
            }
        }
        let sent = requests.div_ceil(CONNECTIONS) * CONNECTIONS;
        (self.cpu_time() - before) / sent as f64
    }

    /// The processor time of all threads.
    fn cpu_time(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let times = tasks.map(|task| {
            let path = task.unwrap().path().join("schedstat");
            let text = fs::read_to_string(path).unwrap_or_default();
            let first = text.split_whitespace().next();
            first.map_or(0.0, |time| time.parse::<f64>().unwrap())
        });
        times.sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn on_the_wire(sample: &Sample) -> Vec<u8> {
    let mut request = b"POST /hook HTTP/1.1\r\n".to_vec();
    for (name, value) in &sample.headers {
        request.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    request.extend(&sample.body);
    request
}

/// Reads a response without a body, and returns its status line.
fn answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut room = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut room).unwrap();
        assert!(read > 0, "the server has closed the connection");
        head.extend(&room[..read]);
    }
    let head = String::from_utf8(head).unwrap();
    head.lines().next().unwrap().to_owned()
}

fn measure(workload: Workload, budget: Duration) -> Vec<Figure> {
    let mut servers = ROWS.map(|(framework, row)| Server::start(framework, row, workload));
    let batch = if workload.size > 1 << 16 { 8 } else { 400 };
    for server in &mut servers {
        server.receive(batch);
    }
    let mut rounds: Vec<[f64; ROWS.len()]> = Vec::new();
    let start = Instant::now();
    while rounds.len() < 11 || start.elapsed() < budget {
        rounds.push(servers.each_mut().map(|server| server.receive(batch)));
    }
    let place = |framework, row| {
        ROWS.iter()
            .position(|one| *one == (framework, row))
            .unwrap()
    };
    let spread = |of: &dyn Fn(&[f64; ROWS.len()]) -> f64| Spread::of(rounds.iter().map(of));
    println!(
        "\n### GitHub, {}, {} rounds\n",
        bytes(workload.size),
        rounds.len()
    );
    println!(
        "| framework | row | processor time, ns | of bare | added, ns | of what the naive way adds |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let naive = spread(&|times| times[place(AXUM, NAIVE)] - times[place(AXUM, BARE)]).middle;
    let mut reached = Vec::new();
    for (index, (framework, row)) in ROWS.into_iter().enumerate() {
        let bare = place(framework, BARE);
        let whole = spread(&|times| times[index]);
        let ratio = spread(&|times| times[index] / times[bare]);
        print!("| {framework} | {row} | {:.0} | ", whole.middle);
        if row == BARE {
            println!("| | |");
            continue;
        }
        let added = spread(&|times| times[index] - times[bare]);
        let half = |spread: Spread| (spread.high - spread.low) / 2.0;
        println!(
            "{:.2} ±{:.2} | {:.0} ±{:.0} | {:.2} |",
            ratio.middle,
            half(ratio),
            added.middle,
            half(added),
            added.middle / naive
        );
        if (framework, row) == (AXUM, OURS) && workload.size == 1 << 10 {
            let what = "server processor time added over axum, 1 KiB, against the naive way";
            reached.push(Figure::new(what, 0.5, added.middle / naive, ""));
        }
    }
    reached
}
