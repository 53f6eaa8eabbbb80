"""`orchestrate serve` over 100,000 trials: first paint, CPU of an update, CPU while nothing happens, memory.

    python tests/benchmarks/live.py --folder DIR      (300 MB there; three minutes; Debian's chromium)

A search of 25,000 configurations x 4 seeds and a study of 10,000 confirmed trials are planned in the folder. A driver
appends a bundle of 32 trials; an update is over when the event that tells of it has come. CPU seconds are those of all
threads of the server's process by the kernel's count (/proc/PID/task/*/schedstat), from before the append to after the
event, the polling of the folder included. Writes analysis/benchmarks/live.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from large_ledger import plan
from ledger import outcomes

from orchestrator.ledger import Ledger
from orchestrator.provenance import machine, versions
from orchestrator.trial import FailureKind, SeedBlock, TrialOutcome, TrialState

ROOT = Path(__file__).parents[2]
PORTION, BUNDLE = 2_000, 32
N_SEEDS, N_CONFIRMED = 4, 10_000
SPACE = {"lr": "a number from 0.1 to 100", "fairness_weight": "a number from 1 to 1000"}


def searched(first: int, count: int) -> list[TrialOutcome]:
    """Return trials of a search: configuration by configuration, four seeds each, every 500th of them diverged."""
    found = []
    for number, one in enumerate(outcomes(first, count), start=first):
        place = number // N_SEEDS
        fixed = {"heads": 1, "norm": True, "loss": "reverse", "update": "batch", "momentum": 0.9}
        config = {**fixed, "lr": 0.1 + place % 997 / 10, "fairness_weight": 1.0 + place % 991}
        spec = replace(one.spec, config=config, seed=number % N_SEEDS, seed_block=SeedBlock.SEARCH)
        metrics = {**one.metrics, "nmi": 0.3 + place % 463 / 1000}
        made = replace(one, spec=spec, metrics=metrics)
        if number % 500 == 499:
            text = (
                f"Traceback (most recent call last):\n  in step\nFloatingPointError: loss is NaN in epoch {place % 7}"
            )
            made = replace(made, state=TrialState.FAILED, failure_kind=FailureKind.DIVERGED, error=text, metrics={})
        found.append(made)
    return found


def write(folder: Path, n_trials: int) -> list[TrialOutcome]:
    """Write the folder; the last trials of the search have not ended: return them."""
    n_searched, rest = n_trials - N_CONFIRMED, 64 * BUNDLE
    with Ledger(folder, writable=True) as ledger:
        for first in range(0, n_searched, PORTION):
            ledger.append(searched(first, min(PORTION, n_searched - first)))
        for first in range(0, N_CONFIRMED, PORTION):
            ledger.append(outcomes(first, PORTION))
        plan(ledger, "large", outcomes(0, N_CONFIRMED))
        waiting = searched(n_searched, rest)
        plan_search(
            ledger, [one for first in range(0, n_searched, PORTION) for one in searched(first, PORTION)] + waiting
        )
    return waiting


def plan_search(ledger: Ledger, made: list[TrialOutcome]) -> None:
    """Plan the search of these trials."""
    search = {
        **{"method": "entropy", "dataset": "mnist_5k", "rules": ["nmi"], "directions": ["maximize"], "sampler": "tpe"},
        **{"pruner": "none", "n_configurations": len(made) // N_SEEDS, "n_seeds": N_SEEDS, "space": SPACE},
        **{"chosen": None, "chosen_number": None, "history": []},
    }
    record = {
        **{
            "name": "search",
            "question": "?",
            "metric": "nmi",
            "alpha": 0.05,
            "datasets": ["mnist_5k"],
            "tier": "local",
        },
        **{"seeds": {"block": "confirm", "seeds": []}, "contrasts": [], "arms": [], "searches": [search]},
        "command": "orchestrate run search",
    }
    rows = {
        "trial_id": [one.spec.trial_id for one in made],
        "arm": [f"entropy #{place // N_SEEDS} @ mnist_5k" for place in range(len(made))],
        **{name: [""] * len(made) for name in ("factor", "level")},
        **{name: ["search"] * len(made) for name in ("role", "phase", "seed_block")},
        **{name: [value] * len(made) for name, value in (("dataset", "mnist_5k"), ("method", "entropy"))},
        "seed": [one.spec.seed for one in made],
        "configuration": [place // N_SEEDS for place in range(len(made))],
    }
    ledger.studies.write("search", record, pa.table(rows))


def cpu_seconds(pid: int) -> float:
    """Return the seconds that all threads of a process have run, by the kernel's count in nanoseconds."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory(pid: int) -> float:
    """Return the peak resident set of a process in MiB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def events(stream: Any) -> Iterator[dict[str, Any]]:
    """Yield what the server tells."""
    for line in stream:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def ended(told: dict[str, Any]) -> int:
    """Return how many trials have ended in the two studies."""
    return sum(int(one["trials"]) - int(one["missing"]) for one in told["studies"])


def measure(folder: Path, waiting: list[TrialOutcome], repeats: int) -> dict[str, Any]:
    """Start the server, open the page, append bundle by bundle."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "orchestrator", "serve", "--results", str(folder), "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = next(line for line in server.stdout if "http://" in line).strip().split()[-1]
        with urllib.request.urlopen(address, timeout=60) as page:
            page.read()
        found: dict[str, Any] = {"page, from the command": time.perf_counter() - started}
        with urllib.request.urlopen(address.replace("/?", "/events?"), timeout=60) as stream:
            told = events(stream)
            first = next(told)
            found["first state, from the command"] = time.perf_counter() - started
            assert not first["error"] and first["studies"]
            while not any(search["n"] for one in first["studies"] for search in one["searches"]):
                first = next(told)
            found |= {"searches too, from the command": time.perf_counter() - started}
            found |= {"CPU seconds by then": cpu_seconds(server.pid), "first paint": first_paint(address)}
            found |= updates(server.pid, folder, told, ended(first), waiting, repeats)
        found["event bytes"] = len(json.dumps(first))
        return {**found, "peak MiB": memory(server.pid)}
    finally:
        server.terminate()
        server.wait()


def first_paint(address: str) -> dict[str, float]:
    """Return Chromium's own milliseconds from opening the address to its first paint, and to the studies on it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.locator("#rows tr").first.wait_for()
        shown = page.evaluate("performance.now()")
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
    return {"ms": painted, "studies shown by ms": shown}


def updates(
    pid: int, folder: Path, told: Iterator[dict[str, Any]], before: int, waiting: list[TrialOutcome], repeats: int
) -> dict[str, Any]:
    """Append and wait, again and again; then do nothing, then compact."""
    time.sleep(15)
    cpu, seconds = [], []
    with Ledger(folder, writable=True) as ledger:
        for place in range(repeats):
            time.sleep(2)
            began, clock = cpu_seconds(pid), time.perf_counter()
            ledger.append(waiting[place * BUNDLE : (place + 1) * BUNDLE])
            before += BUNDLE
            while ended(next(told)) < before:
                pass
            cpu.append(cpu_seconds(pid) - began)
            seconds.append(time.perf_counter() - clock)
        began = cpu_seconds(pid)
        time.sleep(30)
        idle = (cpu_seconds(pid) - began) / 30
        began = cpu_seconds(pid)
        ledger.compact()
        time.sleep(10)
    return {
        "update CPU ms": spread([1e3 * one for one in cpu]),
        "update seconds": spread(seconds),
        "idle CPU ms a second": 1e3 * idle,
        "compaction CPU ms": 1e3 * (cpu_seconds(pid) - began - 10 * idle),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the range of repeats."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main() -> None:
    """Write the folder, measure, write the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, help="where to write (default: the system's temporary folder)")
    options.add_argument("--repeats", type=int, default=20)
    options.add_argument("--trials", type=int, default=100_000)
    options.add_argument("--out", type=Path, default=ROOT / "analysis/benchmarks/live.json")
    given = options.parse_args()
    place = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        waiting = write(place / "results", given.trials)
        found = measure(place / "results", waiting, given.repeats)
    finally:
        shutil.rmtree(place)
    found = {
        "machine": {name: value for name, value in machine().items() if name != "host"},
        "versions": versions(),
        "trials": given.trials,
        **found,
    }
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
