"""Breaks the crate in the ways listed in list.json, one at a time in a copy, and demands that a test fails.

    python3 tests/mutations/run.py [parts of names or files]

Each entry has the name of the mutation (`what`), a file, a text that occurs in it exactly once
(`from`), its replacement (`to`), and the tests to run where they are not those of the core: a program
and the beginning of a test's name, as in `it::delivery::keys`, where `lib` is the unit tests. An entry
whose text does not occur once, or that no test notices, is a failure. `just mutate-all` makes every
small change instead, and takes hours.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target/mutations")).resolve()
# Kept between runs, so that cargo compiles only what changed.
COPY = TARGET / "copy"
IGNORED = {"target", ".git", "node_modules", "__pycache__"}
TESTS = ["lib", "it::ambiguity", "it::vectors", "it::hostile", "it::config", "it::properties"]
COMMAND = ["cargo", "test", "--quiet", "--workspace", "--all-features"]
# A mutation may make a test wait forever.
TIMEOUT = 1800


def main():
    wanted = sys.argv[1:] or [""]
    entries = json.loads((HERE / "list.json").read_text())
    if stale := list(problems(entries)):
        sys.exit("\n".join(stale))
    entries = [entry for entry in entries if any(part in entry["what"] or part in entry["file"] for part in wanted)]
    if not entries:
        sys.exit("no mutation has such a name or file")
    refresh()
    ended = tested(sorted({test for entry in entries for test in entry.get("tests", TESTS)}))
    if ended is None or ended.returncode != 0:
        sys.exit(f"the tests fail before anything is broken\n{ended and ended.stdout + ended.stderr}")
    survivors = [entry for entry in entries if not caught(entry)]
    print(f"{len(entries) - len(survivors)} caught, {len(survivors)} survived")
    sys.exit(bool(survivors))


def problems(entries):
    """What is wrong with the list, whether or not an entry was selected."""
    names = [entry["what"] for entry in entries]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: two entries have this name"
    for entry in entries:
        file = ROOT / entry["file"]
        count = file.read_text().count(entry["from"]) if file.is_file() else None
        if count is None:
            yield f"{entry['what']}: there is no file {entry['file']}"
        elif count != 1:
            yield f"{entry['what']}: the text occurs {count} times in {entry['file']}, not once"
        elif entry["from"] == entry["to"]:
            yield f"{entry['what']}: it changes nothing"


def refresh():
    """Makes the copy equal to the sources, and leaves the times of files that have not changed."""
    seen = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in IGNORED and not name.startswith("mutants.out")]
        for name in files:
            path = pathlib.Path(folder, name)
            to = COPY / path.relative_to(ROOT)
            seen.add(to)
            if not to.is_file() or to.read_bytes() != path.read_bytes():
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(path.read_bytes())
    for path in COPY.rglob("*"):
        if path.is_file() and path not in seen:
            path.unlink()


def tested(tests):
    """The first run that fails, or the last; nothing if it took too long."""
    # The smallest input that fails is of no interest.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "PROPTEST_MAX_SHRINK_ITERS": "0"}
    environment.pop("RUST_BACKTRACE", None)
    # Unit tests first, because they compile and run fastest.
    for program in sorted({test.partition("::")[0] for test in tests}, key=lambda program: (program != "lib", program)):
        filters = [test.partition("::")[2] for test in tests if test.partition("::")[0] == program]
        filters = [] if "" in filters else filters
        # Examples and the other programs would be built for nothing.
        words = ["--lib"] if program == "lib" else ["--test", program]
        command = [*COMMAND, *words, "--", *filters]
        try:
            ended = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return None
        if ended.returncode != 0:
            break
    return ended


def caught(entry):
    file = COPY / entry["file"]
    whole = file.read_text()
    file.write_text(whole.replace(entry["from"], entry["to"]))
    try:
        ended = tested(entry.get("tests", TESTS))
    finally:
        file.write_text(whole)
    if ended and "could not compile" in ended.stderr:
        print(f"DOES NOT COMPILE {entry['what']}\n{ended.stderr}", flush=True)
        return False
    noticed = ended is None or ended.returncode != 0
    print("caught  " if noticed else "SURVIVED", entry["what"], flush=True)
    return noticed


if __name__ == "__main__":
    main()
