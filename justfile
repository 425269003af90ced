# All checks; CI runs the same recipes. `.ci/run` installs the tools that they need into target/tools.

export PATH := justfile_directory() / "target/tools/wheels/bin" + ":" + justfile_directory() / "target/tools/cargo/bin" + ":" + env("PATH")

# Lists the recipes.
default:
    @just --list --unsorted

# Runs all checks, fastest first.
check: fmt toml spelling layers clippy test test-none features docs surface deny package benches

# Checks the formatting of the Rust sources.
fmt:
    cargo fmt --check

# Checks the formatting of the TOML files.
toml:
    taplo fmt --check --diff

# Checks the spelling in sources and prose.
spelling:
    typos

# Checks the order of the modules in src/: no import points upwards, through a re-export or in a circle.
layers:
    python3 tests/layers.py

# Runs the lints: the workspace with all features, the library with none.
clippy:
    cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
    cargo clippy --locked --lib --no-default-features -- -D warnings

# Runs all tests with all features, and continues after a failure.
test:
    cargo test --workspace --all-features --no-fail-fast

# Runs the tests that need no feature.
test-none:
    cargo test --no-default-features --no-fail-fast
    cargo test --package tower-webhook-tests --no-default-features --no-fail-fast

# Checks the library with each feature, none and all, and that the core has no runtime. `cli-tls` is
# as good as all.
features:
    cargo hack check --each-feature --exclude-features cli-tls --no-dev-deps
    ! cargo tree --locked --edges normal --no-default-features --prefix none | grep '^tokio '

# Builds the documentation as docs.rs does, on nightly.
docs:
    RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo +nightly doc --locked --all-features --no-deps

# Compares the public interface with tests/public-api.txt; `--record` updates it.
surface *arguments:
    python3 tests/public_api.py {{ arguments }}

# Checks licences, bans, duplicates and sources of crates, and advisories if their database is available.
deny:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo deny --offline --all-features --locked check bans licenses sources
    # Fetches separately, to distinguish an unavailable database from an advisory.
    if problem=$(cargo deny --all-features --locked fetch db 2>&1); then
        cargo deny --offline --all-features --locked check advisories
    else
        echo "advisories were NOT checked, because their database could not be fetched: ${problem##*$'\n'}"
    fi

# Builds the package as it would be published, including uncommitted changes.
package:
    cargo package --locked --allow-dirty

# Checks that the benchmarks compile, with the dependencies that the lints have built.
benches:
    cd benches && cargo check --locked --target-dir ../target

# Writes the page of the guide with all providers from their rows.
providers:
    UPDATE_PROVIDERS=1 cargo test --package tower-webhook-tests --test it catalogue::table

# Draws the pictures of the program's output in docs/.
pictures:
    cargo build --locked --features cli --bin tower-webhook
    python3 tests/pictures.py

# Applies each listed mutation and demands that a test fails. Takes minutes; not part of `check`.
mutate part="":
    python3 tests/mutations/run.py "{{ part }}"

# Runs cargo-mutants and lists the mutants that no test detects. Takes hours; not part of `check`.
mutate-all *arguments:
    cargo mutants {{ arguments }}

# Fuzzes the multipart reader, and captured requests with their explanation, for a minute each. Needs nightly and cargo-fuzz; not part of `check`.
fuzz seconds="60":
    cd fuzz && cargo +nightly fuzz run multipart -- -max_total_time={{ seconds }}
    cd fuzz && cargo +nightly fuzz run captured -- -max_total_time={{ seconds }} -max_len=8192

# Runs the benchmarks against other crates: see benches/README.md. Takes minutes; not part of `check`.
bench seconds="1.0":
    cd benches && cargo run --release --bin times -- {{ seconds }}
    cd benches && cargo run --release --bin counts
    cd benches && cargo run --release --bin memory
    cd benches && cargo run --release --bin threads -- {{ seconds }}
    cd benches && cargo run --release --bin store -- {{ seconds }}
    cd benches && cargo run --release --bin load -- {{ seconds }}

# Compares the instruction counts of the hot paths with benches/instructions.json, and those of refusals with each other; `--record` updates it. Needs valgrind.
instructions *arguments:
    cd benches && python3 instructions.py {{ arguments }}
