# The one list of checks; CI runs the same recipes. `.ci/run` puts the tools that they need into target/tools.

export PATH := justfile_directory() / "target/tools/wheels/bin" + ":" + justfile_directory() / "target/tools/cargo/bin" + ":" + env("PATH")

# Lists the recipes.
default:
    @just --list --unsorted

# Everything below, in the order in which it fails fastest.
check: fmt toml spelling layers clippy test test-none features docs surface deny package benches

# The layout of the Rust sources.
fmt:
    cargo fmt --check

# The layout of the TOML files.
toml:
    taplo fmt --check --diff

# Spelling, in sources and prose.
spelling:
    typos

# The order of the modules in src/: no import points upwards, goes through a re-export or closes a circle.
layers:
    python3 tests/layers.py

# The lint tables of Cargo.toml and clippy.toml: everything with all features, the library with none.
clippy:
    cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
    cargo clippy --locked --lib --no-default-features -- -D warnings

# README's command: all tests, with all features. It goes on after a failure, to count all.
test:
    cargo test --workspace --all-features --no-fail-fast

# With no feature: unit and documentation tests, costs, and what `no_features` names.
test-none:
    cargo test --no-default-features --no-fail-fast
    cargo test --package tower-webhook-tests --no-default-features --no-fail-fast

# The library with each feature alone, with none and with all; development dependencies cannot lend it theirs.
features:
    cargo hack check --each-feature --no-dev-deps

# The documentation as docs.rs builds it, on nightly.
docs:
    RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo +nightly doc --locked --all-features --no-deps

# The public interface as recorded in tests/public-api.txt, and no types of crates that are not on a list; `--record` writes it.
surface *arguments:
    python3 tests/public_api.py {{ arguments }}

# Licences, banned and repeated crates, where crates come from, and advisories where their database can be had.
deny:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo deny --offline --all-features --locked check bans licenses sources
    # To fetch is a step of its own, so that a database that cannot be had is not taken for an advisory, nor the other way round.
    if problem=$(cargo deny --all-features --locked fetch db 2>&1); then
        cargo deny --offline --all-features --locked check advisories
    else
        echo "advisories were NOT checked, since their database could not be fetched: ${problem##*$'\n'}"
    fi

# The package as it would be published, built from what is in it. Works before a commit, too.
package:
    cargo package --locked --allow-dirty

# Whether the benchmarks compile, with all their peers.
benches:
    cd benches && cargo check --locked

# Breaks the core in each of the listed ways, and demands that a test fails. Some minutes; not part of `check`.
mutate part="":
    python3 tests/mutations/run.py "{{ part }}"

# Changes the core in every small way, and lists what no test notices. Needs cargo-mutants, and hours.
mutate-all *arguments:
    cargo mutants {{ arguments }}

# Feeds the multipart reader with what libFuzzer thinks of, for a minute. Needs nightly and cargo-fuzz; not part of `check`.
fuzz seconds="60":
    cd fuzz && cargo +nightly fuzz run multipart -- -max_total_time={{ seconds }}

# Measures against the published peers, for some seconds a workload: see benches/README.md. Minutes; not part of `check`.
bench seconds="1.0":
    cd benches && cargo run --release --bin times -- {{ seconds }}
    cd benches && cargo run --release --bin counts
    cd benches && cargo run --release --bin memory
    cd benches && cargo run --release --bin threads -- {{ seconds }}
    cd benches && cargo run --release --bin store -- {{ seconds }}
    cd benches && cargo run --release --bin load -- {{ seconds }}

# Counts the instructions of the hot paths and compares them with benches/instructions.json; `--record` writes it. Needs valgrind.
instructions *arguments:
    cd benches && python3 instructions.py {{ arguments }}
