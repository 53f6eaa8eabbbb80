"""A report of 5,000 trials: its size, and Chromium's own time until it can be used; beside it other pages of the study.

    python tests/benchmarks/report_page.py [--old ORCHESTRATE] [--dashboard PYTHON]      (Debian's chromium)

ORCHESTRATE: the command of another checkout, which writes its page of the same folder. PYTHON: one of an environment
with optuna-dashboard, which shows the same trials from a journal (they are minutes on their way into SQLite).
A study of 17 arms x 200 seeds and a search of 400 configurations x 4 seeds, 30 evaluations each, is written by the
ledger's own interface.

A page can be used once its content is painted, its document is ready, and the last task of its main thread of 50 ms or
more is over (three quiet seconds follow). Pages are opened by turns, each in a new browser context. Writes
analysis/benchmarks/report_page.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from orchestrator.ledger import Ledger
from orchestrator.provenance import machine, versions
from orchestrator.trial import SeedBlock, TrialOutcome, TrialSpec, TrialState

ROOT = Path(__file__).parents[2]
NAME = "pages"
N_ARMS, N_SEEDS = 17, 200
N_CONFIGURATIONS, N_SEARCH_SEEDS = 400, 4
N_EPOCHS = 30
BASE = {"lr": 0.1, "fairness_weight": 100.0, "norm_weight": 0.01, "loss": "reverse"}
SPACE = {"fairness_weight": "a number from 1 to 1000", "norm_weight": "a number from 1e-05 to 0.1"}
METRICS = ("nmi", "acc", "ari", "loss", "neighbour_mi")
"""At every evaluation."""
OTHERS = ("ami", "silhouette", "effective_clusters", "max_share", "n_clusters_used", "feature_std", "between_seed_mi")
"""At the last one."""

WATCH = """
window.longTasks = [];
new PerformanceObserver(list => { for (const one of list.getEntries()) longTasks.push(one.startTime + one.duration); })
  .observe({ type: 'longtask', buffered: true });
"""
TIMES = """() => {
  const opened = performance.getEntriesByType('navigation')[0];
  const painted = performance.getEntriesByName('first-contentful-paint')[0].startTime;
  return { painted, ready: opened.domContentLoadedEventEnd,
    usable: Math.max(painted, opened.domContentLoadedEventEnd, ...window.longTasks) };
}"""

QUIET = """() => {
  const painted = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity;
  return performance.now() - Math.max(painted, ...window.longTasks) > 3000;
}"""

STORE = """
import json, sys
import optuna
told = json.load(open(sys.argv[1]))
optuna.logging.set_verbosity(optuna.logging.ERROR)
from optuna.storages import JournalStorage, journal
kept = JournalStorage(journal.JournalFileBackend(sys.argv[2]))
study = optuna.create_study(storage=kept, study_name='pages', direction='maximize')
range_of = optuna.distributions.FloatDistribution
kinds = {'fairness_weight': range_of(0.0, 2000.0), 'norm_weight': range_of(0.0, 0.2), 'lr': range_of(0.0, 20.0)}
study.add_trials([optuna.trial.create_trial(params=one['params'], distributions=kinds, value=one['value'],
    intermediate_values=dict(enumerate(one['curve'], 1))) for one in told])
"""


def outcome(values: dict[str, float], seed: int, nmi: float, block: SeedBlock) -> TrialOutcome:
    """Return a complete trial."""
    spec = TrialSpec(
        **{"method": "entropy", "method_version": 1, "config": {**BASE, **values}, "dataset": "digits"},
        **{"dataset_digest": "d", "seed": seed, "seed_block": block, "n_epochs": N_EPOCHS},
    )
    scores = {"nmi": nmi, "acc": nmi + 0.05, "ari": nmi - 0.1, "neighbour_mi": 2.2 * nmi, "loss": 2 - nmi}
    scores |= {name: nmi / place for place, name in enumerate(OTHERS, start=1)}
    facts = {"device": "cpu", "threads": 1, "code_digest": "c0de", "git_commit": "abc", "versions": {"numpy": "2"}}
    facts |= {"bundle_id": "b", "bundle_size": 8, "started_at": 1.7e9, "finished_at": 1.7e9 + 6}
    cost = {"seconds": 0.8, "peak_memory_bytes": 2.0e8, "gpu_seconds": 0.0}
    complete = TrialState.COMPLETE
    return TrialOutcome(spec=spec, attempt=1, state=complete, metrics=scores, cost=cost, facts=facts)


def arms() -> dict[str, dict[str, float]]:
    """Return the arms, the baseline first."""
    return {"baseline": {}, **{f"lr={place}": {"lr": float(place)} for place in range(1, N_ARMS)}}


def confirmed(random: np.random.Generator) -> dict[str, list[TrialOutcome]]:
    """Return the trials of each arm."""
    shared, found = random.normal(0.0, 0.02, N_SEEDS), {}
    for place, (arm, values) in enumerate(arms().items()):
        scores = 0.66 - 0.002 * place + shared + random.normal(0, 0.006, N_SEEDS)
        found[arm] = [
            outcome(values, seed, score, SeedBlock.CONFIRM) for seed, score in enumerate(scores.round(6).tolist())
        ]
    return found


def searched(random: np.random.Generator) -> tuple[list[dict[str, Any]], list[list[TrialOutcome]]]:
    """Return a search's history, and the trials of each configuration."""
    history, found = [], []
    for number in range(N_CONFIGURATIONS):
        fairness, norm = random.uniform(0, 3), random.uniform(-5, -1)
        values = {"fairness_weight": float(10**fairness), "norm_weight": float(10**norm)}
        height = 0.66 - 0.08 * (fairness - 2) ** 2
        own = [
            outcome(values, seed, float(height + random.normal(0, 0.01)), SeedBlock.SEARCH)
            for seed in range(N_SEARCH_SEEDS)
        ]
        found.append(own)
        history.append({
            "number": number, "values": {**BASE, **values}, "state": "complete", "feasible": True,
            "objective": [float(np.mean([one.metrics["neighbour_mi"] for one in own]))],
            "trial_ids": [one.spec.trial_id for one in own],
        })  # fmt: skip
    return history, found


def curves(made: list[TrialOutcome], random: np.random.Generator) -> pa.Table:
    """Return evaluations that rise to the scores of each trial, each with noise of its own."""
    n = len(made) * N_EPOCHS
    shape = 1 - np.exp(-np.arange(1, N_EPOCHS + 1) / 6.0)
    data: dict[str, Any] = {
        "trial_id": np.repeat([one.spec.trial_id for one in made], N_EPOCHS),
        "attempt": np.ones(n, np.int64),
        "epoch": np.tile(np.arange(1, N_EPOCHS + 1), len(made)),
    }
    for metric in METRICS:
        last = np.array([one.metrics[metric] for one in made])
        values = last[:, None] * shape / shape[-1] + random.normal(0, 0.004, (len(made), N_EPOCHS))
        data[f"metric.{metric}"] = values.ravel()
    return pa.table(data)


def record(history: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the study's record."""
    listed = [
        {"name": name, "method": "entropy", "dataset": "digits", "values": {**BASE, **values}, "design": 0,
         "role": "level" if values else "baseline", "factor": "lr" if values else "", "level": name.partition("=")[2]}
        for name, values in arms().items()
    ]  # fmt: skip
    contrasts = [
        {"name": f"{arm} vs baseline", "kind": "difference", "dataset": "digits", "factor": "lr",
         "level": arm.partition("=")[2], "weights": {arm: 1.0, "baseline": -1.0}}
        for arm in list(arms())[1:]
    ]  # fmt: skip
    best = max(history, key=lambda one: one["objective"][0])
    search = {
        "method": "entropy", "dataset": "digits", "rules": ["neighbour_mi"], "directions": ["maximize"],
        "sampler": "tpe", "pruner": "none", "n_configurations": N_CONFIGURATIONS, "n_seeds": N_SEARCH_SEEDS,
        "round_size": 12, "space": SPACE, "chosen": best["values"], "chosen_number": best["number"],
        "history": history,
    }  # fmt: skip
    return {
        "schema_version": 1, "name": NAME, "question": "Which learning rate is best?", "paper": "004",
        "docstring": "A study made up for a benchmark.", "tier": "local", "exploratory": False, "metric": "nmi",
        "alpha": 0.05, "margin": 0.01, "datasets": ["digits"], "protocol": "whole", "n_epochs": N_EPOCHS,
        "failure_budget": 0.1, "arms": listed, "contrasts": contrasts, "searches": [search],
        "seeds": {"block": "confirm", "seeds": list(range(N_SEEDS)), "looks": None},
        "looks_taken": [{"at": "2026-01-01T00:00:00+00:00", "n_seeds": N_SEEDS, "planned": True}],
        "versions": {"numpy": "2"}, "git_commit": "abc", "created_at": "2026-01-01T00:00:00+00:00",
        "priced": {}, "command": f"orchestrate run {NAME}", "equivalence": {"checks": []},
    }  # fmt: skip


def row(spec: TrialSpec, arm: str, *, configuration: int = -1) -> dict[str, Any]:
    """Return a row of the plan."""
    is_search = configuration >= 0
    role = "search" if is_search else "baseline" if arm == "baseline" else "level"
    known = {"trial_id": spec.trial_id, "arm": arm, "factor": "", "level": arm.partition("=")[2], "role": role}
    known |= {"phase": str(spec.seed_block), "dataset": "digits", "method": "entropy", "seed": spec.seed}
    known["factor"] = "lr" if role == "level" else ""
    return {**known, "seed_block": str(spec.seed_block), "configuration": configuration}


def write(results: Path) -> list[dict[str, Any]]:
    """Write the study; return its trials as another program may store them."""
    random = np.random.default_rng(5)
    history, by_configuration = searched(random)
    by_arm = confirmed(random)
    rows = [row(one.spec, arm) for arm, own in by_arm.items() for one in own]
    for number, own in enumerate(by_configuration):
        rows += [row(one.spec, f"entropy #{number}", configuration=number) for one in own]
    made = [one for own in (*by_arm.values(), *by_configuration) for one in own]
    evaluations = curves(made, random)
    with Ledger(results, writable=True) as ledger:
        ledger.append(made, evaluations)
        ledger.studies.write(NAME, record(history), pa.Table.from_pylist(rows))
    lines = evaluations["metric.nmi"].to_numpy().reshape(-1, N_EPOCHS).tolist()
    told = []
    for one, line in zip(made, lines, strict=True):
        knobs = {name: one.spec.config[name] for name in ("fairness_weight", "norm_weight", "lr")}
        told.append({"params": knobs, "value": one.metrics["nmi"], "curve": line})
    return told


def report(command: list[str], results: Path, out: Path) -> tuple[Path, float]:
    """Write the page by a command; return it and the seconds that this took."""
    started = time.perf_counter()
    whole = [*command, "report", NAME, "--results", str(results), "--out", str(out), "--no-notebook"]
    subprocess.run(whole, check=True, stdout=subprocess.DEVNULL)
    return out / "studies" / NAME / "report.html", time.perf_counter() - started


@contextmanager
def dashboard(python: str, told: list[dict[str, Any]], folder: Path) -> Iterator[str]:
    """Yield the address at which optuna-dashboard shows these trials."""
    given, store = folder / "trials.json", folder / "trials.journal"
    given.write_text(json.dumps(told))
    subprocess.run([python, "-c", STORE, str(given), str(store)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(python).with_name("optuna-dashboard")), str(store), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/dashboard/studies/1"
        for _ in range(120):
            time.sleep(0.5)
            try:
                urllib.request.urlopen(address, timeout=5).close()
            except OSError:
                continue
            break
        yield address
    finally:
        server.terminate()
        server.wait()


def opened(browser: Any, address: str) -> dict[str, float]:
    """Open a page as Chromium does for the first time, and return its milliseconds and the bytes that came."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page, came = context.new_page(), []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
    page.add_init_script(WATCH)
    page.goto(address, wait_until="commit", timeout=120_000)
    page.wait_for_function(QUIET, timeout=120_000)
    found = page.evaluate(TIMES)
    context.close()
    return {**found, "bytes": float(sum(came))}


def measure(pages: dict[str, str], repeats: int) -> dict[str, Any]:
    """Open the pages by turns; return the median and the range of each number."""
    from playwright.sync_api import sync_playwright

    runs: dict[str, list[dict[str, float]]] = {name: [] for name in pages}
    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for _ in range(repeats):
            for name, address in pages.items():
                runs[name].append(opened(browser, address))
        version = browser.version
        browser.close()
    found: dict[str, Any] = {"chromium": version}
    for name, own in runs.items():
        found[name] = {
            **{f"{what} ms": spread([one[what] for one in own]) for what in ("painted", "ready", "usable")},
            "MB that came": statistics.median(one["bytes"] for one in own) / 1e6,
        }
    return found


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the range of repeats."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main() -> None:
    """Write the study and its pages, open them, write the numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--old", default="", help="the command `orchestrate` of another checkout")
    options.add_argument("--dashboard", default="", help="a python with optuna-dashboard")
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--out", type=Path, default=ROOT / "analysis/benchmarks/report_page.json")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = write(folder / "results")
        ours, seconds = report([sys.executable, "-m", "orchestrator"], folder / "results", folder / "new")
        sizes, pages = {"report": ours.stat().st_size / 1e6}, {"report": ours.as_uri()}
        if given.old:
            old, _ = report([given.old], folder / "results", folder / "old")
            sizes["older report"], pages["older report"] = old.stat().st_size / 1e6, old.as_uri()
        if given.dashboard:
            with dashboard(given.dashboard, told, folder) as address:
                found = measure({**pages, "optuna-dashboard": address}, given.repeats)
        else:
            found = measure(pages, given.repeats)
    facts = {name: value for name, value in machine().items() if name != "host"}
    whole = {"machine": facts, "versions": versions(), "trials": len(told), "MB": sizes, "seconds to write": seconds}
    given.out.write_text(json.dumps({**whole, **found}, indent=1) + "\n")
    print(json.dumps({**whole, **found}, indent=1))


if __name__ == "__main__":
    main()
