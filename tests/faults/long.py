"""The long form of the kills: hundreds of them, seeded; python tests/faults/long.py --state FOLDER.

Called again with the same --state it goes on where it was. Its numbers go to analysis/benchmarks/faults.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from kill_rig.drivers import ROOT, Zygote
from kill_rig.histories import Histories, Tally


def main() -> None:
    """Kill until the numbers are reached; write the tally to --state after each history, and the result to --out."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ray", type=int, default=42, help="kills of driver, raylet or group through Ray")
    options.add_argument("--total", type=int, default=300, help="kills in all: workers too, the rest inline drivers")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--state", type=Path, required=True, help="folder for results and the tally")
    options.add_argument("--out", type=Path, default=ROOT / "analysis/benchmarks/faults.json")
    given = options.parse_args()
    given.state.mkdir(parents=True, exist_ok=True)
    kept = given.state / "tally.json"
    tally = Tally(**json.loads(kept.read_text())) if kept.exists() else Tally(given.seed)
    zygote = Zygote()
    try:
        histories = Histories(given.state / "results", zygote, tally)
        _until(tally, lambda: given.ray - tally.enders, 6, histories.ray, kept)
        _until(tally, lambda: given.total - tally.total, 12, histories.inline, kept)
    finally:
        zygote.close()
    found = {
        "kills": tally.kills,
        "total": tally.total,
        "of driver, raylet or group through Ray": tally.enders,
        "complete trials lost": 0,  # a lost one raises, and so does
        "ids twice in a read view": 0,
        "kills that left a checkpoint": tally.resumable,
        "checkpoints left over at a study's end": 0,
        "studies that ended equal to a quiet run": tally.histories,
        "longest seconds until a killed run's last process was gone": round(tally.longest_behind, 1),
        "seed": tally.seed,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "minutes": round(tally.seconds / 60, 1),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def _until(tally: Tally, left: Callable[[], int], portion: int, kill: Callable[[int], None], kept: Path) -> None:
    """Kill in portions until none is left to do; keep the tally after each."""
    while left() > 0:
        started = time.monotonic()
        kill(min(portion, left()))
        tally.seconds += time.monotonic() - started
        kept.write_text(json.dumps(vars(tally)))
        print(f"{datetime.now():%H:%M:%S} {tally.total} kills {tally.kills}, {tally.seconds / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
