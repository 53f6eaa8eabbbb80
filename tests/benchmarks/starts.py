"""What commands that train nothing cost: CPU seconds and memory, beside those of another installation, in turn.

`python tests/benchmarks/starts.py --against OTHER/bin/orchestrate --out analysis/benchmarks/starts.json`

CPU seconds are those of the command and of all processes that it waited for, which other work on the machine hardly
changes; memory is the largest resident set of any of them. Every repetition runs each command once here and once there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]

LEDGER = ROOT / "analysis" / "ledger"

HERE = f"{sys.executable} -m orchestrator"

COMMANDS: dict[str, list[str]] = {
    "--help": ["--help"],
    "studies, cold": ["studies"],
    "studies": ["studies"],
    "status": ["status", "--results", str(LEDGER)],
    "trial": ["trial", "ID", "--results", str(LEDGER)],
    "plan quickstart, cold": ["plan", "quickstart", "--results", "EMPTY"],
    "plan quickstart, warm": ["plan", "quickstart", "--results", "EMPTY"],
    "report --all": ["report", "--all", "--no-notebook", "--results", str(LEDGER), "--out", "OUT"],
    "report --all, again": ["report", "--all", "--no-notebook", "--results", str(LEDGER), "--out", "OUT"],
}
"""In this order: what is warm or made again follows what it builds on."""

CHEAP = [name for name in COMMANDS if not name.startswith("report")]


def cost(command: list[str], cache: Path) -> tuple[float, float]:
    """Run a command; return its CPU seconds and its largest process's MB.

    Raises:
        RuntimeError: it failed.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(cache)}
    process = subprocess.Popen(command, env=environment, cwd=cache, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def some_trial() -> str:
    """Return the id of a trial of the committed ledger."""

    code = f"import pyarrow.parquet as p; print(p.read_table({str(LEDGER / 'trials')!r})['trial_id'][0])"
    # in a process of its own: what this one holds would be counted as the commands' memory
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def measured(sides: dict[str, list[str]], names: list[str], repeats: int, folder: Path) -> dict[str, list[float]]:
    """Return "SIDE: COMMAND: what" -> its values, in the order in which they were taken."""
    taken: dict[str, list[float]] = {}
    trial = some_trial()
    for _ in range(repeats):
        for name in names:
            for side, program in sides.items():
                cache = folder / side
                if name.endswith("cold"):
                    shutil.rmtree(cache, ignore_errors=True)
                cache.mkdir(exist_ok=True)
                if name == "report --all":
                    shutil.rmtree(cache / "out", ignore_errors=True)
                places = {"ID": trial, "EMPTY": str(cache / "empty"), "OUT": str(cache / "out")}
                seconds, size = cost(program + [places.get(part, part) for part in COMMANDS[name]], cache)
                taken.setdefault(f"{side}: {name}: CPU s", []).append(round(seconds, 3))
                taken.setdefault(f"{side}: {name}: MB", []).append(round(size, 1))
                print(side, name, round(seconds, 2), round(size), flush=True)
    return taken


def summary(taken: dict[str, list[float]], names: list[str]) -> dict[str, dict[str, float]]:
    """Return command -> medians of both sides and their ratios."""
    found: dict[str, dict[str, float]] = {}
    for name in names:
        row = found.setdefault(name, {})
        for what in ("CPU s", "MB"):
            for side in ("here", "there"):
                if values := taken.get(f"{side}: {name}: {what}"):
                    row[f"{side}: {what}"] = statistics.median(values)
            if f"there: {what}" in row:
                row[f"ratio: {what}"] = round(row[f"here: {what}"] / row[f"there: {what}"], 4)
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--against", default="", help="the command of another installation")
    parser.add_argument("--only", nargs="*", default=CHEAP, choices=[*COMMANDS, []], help="which commands")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, help="a JSON file; what it says of other commands is kept")
    options = parser.parse_args()
    sides = {"here": HERE.split()} | ({"there": options.against.split()} if options.against else {})
    with tempfile.TemporaryDirectory() as folder:
        taken = measured(sides, options.only, options.repeats, Path(folder))
    found = summary(taken, options.only)
    print(json.dumps(found, indent=1))
    if options.out:
        known = json.loads(options.out.read_text()) if options.out.exists() else {"medians": {}, "values": {}}
        known["medians"] |= found
        known["values"] |= taken
        options.out.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
