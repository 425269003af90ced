"""Breaks the core in the ways listed in list.json, one at a time in a copy, and demands that a test fails.

    python3 tests/mutations/run.py [parts of names]

Each entry names a file, a text that occurs in it once, what to put there, what that would mean, and the tests to run where they
are not those of the core: a program and the beginning of a test's name, as in `it::delivery::keys`. An entry whose text is gone,
or that no test notices, is a failure. `just mutate-all` makes every small change instead, and takes hours.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TESTS = ["it::ambiguity", "it::vectors", "it::hostile", "it::config", "it::properties"]
COMMAND = ["cargo", "test", "--quiet", "--workspace", "--all-features"]


def main():
    wanted = sys.argv[1:] or [""]
    entries = json.loads((HERE / "list.json").read_text())
    entries = [entry for entry in entries if any(part in entry["what"] for part in wanted)]
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        ignore = shutil.ignore_patterns("target", ".git", "node_modules", "mutants.out*", "fuzz")
        # Without the times of the originals: cargo would take what the last run built for up to date.
        shutil.copytree(ROOT, copy, ignore=ignore, copy_function=shutil.copy)
        # The smallest input that fails is of no interest.
        environment = {"CARGO_TARGET_DIR": str(ROOT / "target/mutations"), "PROPTEST_MAX_SHRINK_ITERS": "0", **os.environ}
        environment.pop("RUST_BACKTRACE", None)

        def tested(tests):
            # Examples and the other programs would be built for nothing.
            runs = [["--lib"]] if tests == TESTS else []
            for program in sorted({test.split("::")[0] for test in tests}):
                filters = [test.partition("::")[2] for test in tests if test.split("::")[0] == program]
                runs.append(["--test", program, "--", *filter(None, filters)])
            for words in runs:
                ended = subprocess.run(COMMAND + words, cwd=copy, env=environment, capture_output=True, text=True)
                if ended.returncode != 0:
                    break
            return ended

        ended = tested(sorted({test for entry in entries for test in entry.get("tests", TESTS)}))
        if ended.returncode != 0:
            sys.exit(f"the tests fail before anything is broken\n{ended.stdout}{ended.stderr}")
        survivors = [entry for entry in entries if not caught(entry, copy, tested)]
    print(f"{len(entries) - len(survivors)} caught, {len(survivors)} survived")
    sys.exit(1 if survivors or not entries else 0)


def caught(entry, copy, tested):
    file = copy / entry["file"]
    whole = file.read_text()
    if whole.count(entry["from"]) != 1:
        sys.exit(f"{entry['what']}: the text stands {whole.count(entry['from'])} times in {entry['file']}")
    file.write_text(whole.replace(entry["from"], entry["to"]))
    ended = tested(entry.get("tests", TESTS))
    file.write_text(whole)
    if "could not compile" in ended.stderr:
        print(f"DOES NOT COMPILE {entry['what']}\n{ended.stderr}", flush=True)
        return False
    noticed = ended.returncode != 0
    print("caught  " if noticed else "SURVIVED", entry["what"], flush=True)
    return noticed


if __name__ == "__main__":
    main()
