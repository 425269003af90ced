"""Measures what webhook verification adds to a minimal axum service: crates, build time and size.

    python3 cost.py [--crate PATH] [ROW...]

Each row is a separate package that is built from scratch, in debug and release mode. Processor seconds include cargo
and all compilers. The figures are the difference to the service without verification in the same run. `--crate`
selects another checkout of tower-webhook. Crates are normal and build dependencies beyond those of the service.
"""

import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BASE = "axum only"

SERVICE = """
use axum::{Router, http::StatusCode, routing::post};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    SETUP
    let app = Router::new().route("/webhooks/stripe", ROUTE);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

"""

PLAIN = """
async fn on_event(body: axum::body::Bytes) -> StatusCode {
    println!("{} bytes", body.len());
    StatusCode::OK
}
"""

BY_HAND = """
use std::time::{SystemTime, UNIX_EPOCH};

use axum::{body::Bytes, extract::State, http::HeaderMap};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const HEADER: &str = "stripe-signature";
const TOLERANCE: u64 = 300;

fn verify(secret: &str, headers: &HeaderMap, body: &[u8], now: u64) -> Option<()> {
    let header = headers.get(HEADER)?.to_str().ok()?;
    let fields = || header.split(',').filter_map(|field| field.split_once('='));
    let (_, time) = fields().find(|(name, _)| *name == "t")?;
    if now.abs_diff(time.parse().ok()?) > TOLERANCE {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let signatures = fields().filter(|(name, _)| *name == "v1");
    let mut decoded = signatures.filter_map(|(_, signature)| hex::decode(signature).ok());
    decoded
        .any(|signature| mac.clone().verify_slice(&signature).is_ok())
        .then_some(())
}

async fn on_event(State(secret): State<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    match verify(&secret, &headers, &body, now) {
        Some(()) => {
            println!("{} bytes", body.len());
            StatusCode::OK
        }
        None => StatusCode::UNAUTHORIZED,
    }
}
"""

OURS = """
async fn on_event(event: tower_webhook::VerifiedEvent) -> StatusCode {
    println!("{} bytes", event.body().len());
    StatusCode::OK
}
"""

IDENTITY = """
use tower_webhook::{VerifiedEvent, providers::idenfy};

async fn on_event(event: VerifiedEvent<idenfy::Event>) -> StatusCode {
    println!("{:?}", event.payload());
    StatusCode::OK
}
"""

VERIFIER = """let secret = tower_webhook::Secret::from_env("SECRET")?;
    let verifier = tower_webhook::Verifier::new(tower_webhook::providers::PROVIDER(), secret)?;
    let layer = tower_webhook::WebhookVerifyLayer::new(verifier);"""
CONFIG = """let layer = tower_webhook::Config::from_path("webhooks.toml")?.layer("stripe")?;"""
LAYER = "post(on_event).route_layer(layer)"

# The published layer does not accept axum's body, and needs an error handler around it.
PEER_SETUP = """let secret = webhook_verify::Secret::new(std::env::var("SECRET")?);
    let verify = webhook_verify::tower::VerifyLayer::<http_body_util::Full<axum::body::Bytes>>::new(
        webhook_verify::Provider::Stripe,
        secret,
    );
    let refused = axum::error_handling::HandleErrorLayer::new(|_| async { StatusCode::BAD_REQUEST });
    let layer = tower::ServiceBuilder::new().layer(refused).layer(verify);"""


def ours(features, program, setup=VERIFIER.replace("PROVIDER", "stripe")):
    dependency = f'tower-webhook = {{ path = "CRATE", features = {features} }}'.replace("'", '"')
    return (dependency, program, setup, LAYER)


ROWS = {
    BASE: ("", PLAIN, "", "post(on_event)"),
    "by hand": (
        'hmac = "0.13"\nsha2 = "0.11"\nhex = "0.4"',
        BY_HAND,
        'let secret = std::env::var("SECRET")?;',
        "post(on_event).with_state(secret)",
    ),
    "webhook-verify": (
        'webhook-verify = { version = "=0.1.0", features = ["http", "tower"] }\nhttp-body-util = "0.1"\ntower = "0.5"',
        PLAIN,
        PEER_SETUP,
        LAYER,
    ),
    "tower-webhook, `axum`": ours(["axum"], OURS),
    "tower-webhook, `axum,config`": ours(["axum", "config"], OURS, CONFIG),
    "tower-webhook, `axum,identity`": ours(
        ["axum", "identity"], IDENTITY, VERIFIER.replace("PROVIDER", "idenfy")
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crate", type=pathlib.Path, default=HERE.parent)
    parser.add_argument("rows", nargs="*", help="beginnings of the names of rows")
    arguments = parser.parse_args()
    chosen = [name for name in ROWS if name == BASE or not arguments.rows or name.startswith(tuple(arguments.rows))]
    print("| | crates | debug, s | release, s | stripped, MB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    base = None
    for name in chosen:
        measured = measure(arguments.crate.resolve(), *ROWS[name])
        if base is None:
            base = measured
            added = [*measured[1:]]
            crates = str(len(measured[0]))
            sign = ""
        else:
            added = [one - other for one, other in zip(measured[1:], base[1:])]
            crates = f"+{len(measured[0] - base[0])}"
            sign = "+"
        debug, release, size = added
        print(f"| {name} | {crates} | {sign}{debug:.1f} | {sign}{release:.1f} | {sign}{size / 1e6:.2f} |", flush=True)


def measure(crate, dependency, program, setup, route):
    """Returns the crates, the processor seconds of both builds, and the size of the stripped program in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "src").mkdir()
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "service"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n'
            'axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }\n'
            'tokio = { version = "1", features = ["macros", "net", "rt"] }\n'
            + dependency.replace("CRATE", str(crate))
            + "\n\n[profile.release]\nstrip = true\n\n[workspace]\n"
        )
        source = SERVICE.replace("    SETUP\n", f"    {setup}\n" if setup else "").replace("ROUTE", route)
        (folder / "src/main.rs").write_text(source + program)
        # Uses the dependency versions with which the project is tested.
        shutil.copy(crate / "Cargo.lock", folder / "Cargo.lock")
        run("cargo", "fetch", "--quiet", folder=folder)
        tree = run("cargo", "tree", "-e", "normal,build", "--prefix", "none", folder=folder)
        crates = {" ".join(line.split()[:2]) for line in tree.splitlines()}
        crates = {line for line in crates if line and not line.startswith("service ")}
        debug = seconds(folder)
        release = seconds(folder, "--release")
        return crates, debug, release, (folder / "target/release/service").stat().st_size


def seconds(folder, *arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run("cargo", "build", "--quiet", "--offline", *arguments, folder=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def run(*command, folder):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CARGO_")}
    environment["CARGO_TARGET_DIR"] = str(folder / "target")
    if home := os.environ.get("CARGO_HOME"):
        environment["CARGO_HOME"] = home
    done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
