"""A ledger of a million trials x 10 rows: opening, one study's frame, "nothing left to do", status, compaction, export.

    python tests/benchmarks/large_ledger.py --folder DIR      (2 GB there; some minutes)

Each question is asked by processes of their own; the time is that of the call, after the imports, and the memory the
peak of the process (resident set, imports included). Ten studies of 1,000 trials and one of 10,000 are planned in it.
Writes analysis/benchmarks/large_ledger.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ledger import epoch_rows, outcomes

from orchestrator.ledger import Ledger
from orchestrator.provenance import machine, versions
from orchestrator.trial import TrialOutcome

ROOT = Path(__file__).parents[2]
PORTION = 2_000
"""Trials an append."""

SMALL, LARGE = 1_000, 10_000

QUESTIONS = {
    "one study's frame (1,000 trials)": (
        "from analysis.data import study_view",
        "assert len(study_view.load(folder, 'study_3').rows) == 1_000",
    ),
    "the same with its evaluations": (
        "from analysis.data import study_view",
        "study = study_view.load(folder, 'study_3'); assert len(study_view.epochs_of(study, study.rows)) == 10_000",
    ),
    "nothing left to do (10,000 trials)": (
        "",
        "ledger = Ledger(folder); ids = ledger.studies.read('large')[1]['trial_id'].to_pylist(); "
        "assert len(ledger.complete(ids)) == 10_000",
    ),
    "status": ("from orchestrator.inspection.status import status", "assert len(status(folder)) == 11"),
    "status of one study": (
        "from orchestrator.inspection.status import status",
        "assert status(folder, 'study_3')[0]['complete'] == 1_000",
    ),
    "open as a driver": ("", "ledger = Ledger(folder, writable=True); ledger.__enter__(); ledger.close()"),
    "export one study as CSV": (
        "from orchestrator.inspection.study_table import export_study",
        "assert export_study(folder, 'study_3', folder.parent / 'view.csv') == 1_000",
    ),
    "export the ledger of all studies (20,000 trials)": (
        "from orchestrator.ledger.exporting import export_ledger",
        "assert export_ledger(folder, folder.parent / 'kept', 20 * 2**20).n_trials >= 10_000",
    ),
    "compaction": ("", "ledger = Ledger(folder, writable=True); ledger.__enter__(); ask = ledger.compact"),
}
"""Question -> what is imported before the clock runs, and the call; `ask` is called instead where it is set."""

ASK = """
import json, sys, time
from pathlib import Path
import numpy, pyarrow
from orchestrator.ledger import Ledger
folder, ask = Path(sys.argv[1]), None
{imports}
started, before = time.perf_counter(), time.process_time()
{call}
if ask is not None:
    started, before = time.perf_counter(), time.process_time()
    ask()
print(json.dumps([time.perf_counter() - started, time.process_time() - before,
                  int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) / 1024]))
"""


def write(folder: Path, n_trials: int) -> None:
    """Write the ledger and its studies, uncompacted after the last portion."""
    generator = np.random.default_rng(2)
    with Ledger(folder, writable=True) as ledger:
        for first in range(0, n_trials, PORTION):
            made = outcomes(first, min(PORTION, n_trials - first))
            ledger.append(made, epoch_rows(made, generator))
        for number in range(10):
            plan(ledger, f"study_{number}", outcomes(n_trials // 11 * number, SMALL))
        plan(ledger, "large", outcomes(n_trials - LARGE, LARGE))


def plan(ledger: Ledger, name: str, made: list[TrialOutcome]) -> None:
    """Plan a study of some trials, two arms by turns."""
    arms = ["baseline", "other"]
    record = {
        **{"name": name, "question": "?", "metric": "nmi", "alpha": 0.05, "datasets": ["mnist_5k"], "tier": "local"},
        **{"seeds": {"block": "confirm"}, "contrasts": [], "searches": [], "command": f"orchestrate run {name}"},
        "arms": [
            {
                "name": arm,
                "method": "entropy",
                "dataset": "mnist_5k",
                "values": {},
                "role": "level",
                "factor": "",
                "level": "",
            }
            for arm in arms
        ],
    }
    rows = [
        {
            **{
                "trial_id": one.spec.trial_id,
                "arm": arms[one.spec.seed % 2],
                "factor": "",
                "level": "",
                "role": "level",
            },
            **{"phase": "confirm", "dataset": "mnist_5k", "method": "entropy", "seed_block": "confirm"},
            **{"seed": one.spec.seed, "configuration": None},
        }
        for one in made
    ]
    columns = {name: pa.string() for name in rows[0]} | {"seed": pa.int64(), "configuration": pa.int64()}
    ledger.studies.write(name, record, pa.Table.from_pylist(rows, pa.schema(list(columns.items()))))


def asked(folder: Path, question: str, repeats: int) -> dict[str, Any]:
    """Ask a question in new processes; return medians and ranges."""
    imports, call = QUESTIONS[question]
    code = ASK.format(imports=imports, call=call)
    found = [
        json.loads(subprocess.check_output([sys.executable, "-c", code, str(folder)], cwd=ROOT).splitlines()[-1])
        for _ in range(repeats)
    ]
    units = ("seconds", "CPU seconds", "peak MiB")
    return {
        unit: {"median": statistics.median(values), "low": min(values), "high": max(values)}
        for unit, values in zip(units, zip(*found, strict=True), strict=True)
    }


def main() -> None:
    """Write the ledger, ask, write the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, help="where to write (default: the system's temporary folder)")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--trials", type=int, default=1_000_000)
    options.add_argument("--out", type=Path, default=ROOT / "analysis/benchmarks/large_ledger.json")
    given = options.parse_args()
    place = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        folder = place / "results"
        write(folder, given.trials)
        found: dict[str, Any] = {
            "machine": {name: value for name, value in machine().items() if name != "host"},
            "versions": versions(),
            "trials": given.trials,
            "bytes": sum(path.stat().st_size for path in folder.rglob("*.parquet")),
        }
        once = [question for question in QUESTIONS if question == "compaction"]
        for question in [*once, *(question for question in QUESTIONS if question not in once)]:
            found[question] = asked(folder, question, 1 if question in once else given.repeats)
            print(question, json.dumps(found[question]), flush=True)
    finally:
        shutil.rmtree(place)
    given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
