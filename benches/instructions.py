"""Counts the instructions of a request with callgrind and compares them with instructions.json.

    python3 instructions.py [--record]

Unlike times, counts do not depend on the load of the machine. Callgrind emulates a processor without SHA extensions, so
the hash runs in software and is subtracted. A count that exceeds the record by more than the tolerance is a failure; an
improvement should be recorded. If the record was made with another compiler, counts are shown but not compared.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "instructions.json"
TOLERANCE = 0.03
# The limit of an accepted request, in instructions without the hash.
ACCEPTED, MOST = "GitHub, 71 B, one frame", 4800
REQUESTS = 200
HASH, BARE, OURS, DELIVERY = "raw keyed hash", "bare", "tower-webhook", "with DeliveryLayer"


def main():
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing; install the package of that name")
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--bin", "instructions", "--bin", "constant"]
    subprocess.run(build, cwd=HERE, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    program = target / "release/instructions"
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    workloads = [name for name in names if name not in (HASH, BARE, OURS, DELIVERY)]
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"rustc": None, "counts": {}}

    print(f"| workload | hash | {OURS}, without the hash | recorded | {DELIVERY}, without the hash | recorded |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    counts, worse = {}, []
    for workload in workloads:
        row = {name: count(program, "instructions", workload, name) for name in (HASH, BARE, OURS, DELIVERY)}
        # A request that is refused by its head is not hashed.
        hashed = 0 if "by the head" in workload else row[HASH]
        cells = [f"{hashed:.0f}"]
        counts[workload] = {}
        for name in (OURS, DELIVERY):
            added = round(row[name] - row[BARE] - hashed)
            before = record["counts"].get(workload, {}).get(name)
            counts[workload][name] = added
            cells += [str(added), "-" if before is None else str(before)]
            if before is not None and record["rustc"] == version and added > before * (1 + TOLERANCE) + 10:
                worse.append(f"{workload}: {name} takes {added} instructions; recorded: {before}")
        print(f"| {workload} | {' | '.join(cells)} |", flush=True)
    if counts[ACCEPTED][OURS] > MOST:
        sys.exit(f"{ACCEPTED}: {counts[ACCEPTED][OURS]} instructions exceed the limit of {MOST}; nothing is recorded")
    worse += list(depends_on_place(target / "release/constant"))
    if "--record" in sys.argv:
        RECORD.write_text(json.dumps({"rustc": version, "counts": counts}, indent=2) + "\n")
    elif record["rustc"] != version:
        print(f"recorded with {record['rustc']}, but this is {version}: not compared")
    elif worse:
        sys.exit("\n".join(worse))


def depends_on_place(program):
    """Prints what refusals cost by where a token or a signature differs, and yields each case in which it matters."""
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    places = names[-3:]
    print(f"\n| refused, different in the | {' | '.join(places)} |\n| --- |{' ---: |' * len(places)}")
    for case in names[:-3]:
        counts = [count(program, "constant", case, place) for place in places]
        print(f"| {case} | {' | '.join(f'{number:.0f}' for number in counts)} |", flush=True)
        # What was received is decoded, digit by digit, which may take a few instructions more or less.
        if max(counts) - min(counts) > 5:
            yield f"{case}: the count depends on the place: {counts}"


def count(program, module, workload, row):
    """Returns the instructions per request."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--toggle-collect={module}::counted*"]
        command += [f"--callgrind-out-file={folder}/out", program, workload, row, str(REQUESTS)]
        ended = subprocess.run(command, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", ended.stderr)
    if ended.returncode != 0 or not collected or int(collected[1]) == 0:
        sys.exit(f"{workload}, {row}: callgrind produced no count\n{ended.stderr}")
    return int(collected[1]) / REQUESTS


if __name__ == "__main__":
    main()
