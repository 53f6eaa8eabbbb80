"""The long form of the kills and mishaps: hundreds of them, seeded; python tests/faults/long.py --state FOLDER.

Called again with the same --state it goes on where it was. Its parts, kills through Ray, kills of inline
drivers and mishaps of other kinds, may also run beside each other (--part). When all are done, the numbers go to
analysis/benchmarks/faults.json and faults.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kill_rig.drivers import ROOT, Zygote
from kill_rig.histories import Histories, Tally
from kill_rig.mishaps import KINDS, Mishaps

PARTS = ("ray", "inline", "mishaps")

LABELS = {
    "stopped": "driver stopped for a minute (SIGSTOP), then continued",
    "worker_stopped": "worker of Ray's stopped for a minute, then continued",
    "removed": "results folder removed under the run",
    "full": "file system full under the run",
    "read_only": "file system made read-only under the run",
    "copied": "folder copied in mid-run, gone on with in both, merged",
    "in_pieces": "files arrive in any order, read between any two",
    "clock_back": "clock set back by an hour",
    "compaction_killed": "killed at a step on the disk of a compaction",
    "two_at_once": "two drivers at one instant",
    "few_descriptors": "64 open files allowed",
    "little_memory": "1 to 64 MB more of address space allowed",
    "temporary_full": "TMPDIR full",
}
"""Kind of a mishap -> what the table calls it."""


def main() -> None:
    """Kill and harm until the numbers are reached; write a part's tally to --state as it goes, the result to --out."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ray", type=int, default=42, help="kills of driver, raylet or group through Ray")
    options.add_argument("--inline", type=int, default=240, help="kills of inline drivers, at least")
    options.add_argument(
        "--total", type=int, default=300, help="kills in all: workers of Ray too, the rest inline drivers"
    )
    options.add_argument("--mishaps", type=int, default=150, help="of other kinds (`kill_rig.mishaps`)")
    options.add_argument("--pause", type=float, default=60.0, help="seconds for which a process is stopped")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--part", choices=PARTS, help="only this one; all if left out")
    options.add_argument("--state", type=Path, required=True, help="folder for results and the tallies")
    options.add_argument("--out", type=Path, default=ROOT / "analysis/benchmarks/faults.json")
    given = options.parse_args()
    given.state.mkdir(parents=True, exist_ok=True)
    zygote = Zygote(ray=given.part != "inline")
    try:
        for part in PARTS if given.part is None else (given.part,):
            tally = _tally(given.state, part, given.seed)
            histories = Histories(given.state / part, zygote, tally)
            if part == "ray":
                _until(tally, lambda done: given.ray - done.enders, 2, histories.ray, given.state)
            elif part == "mishaps":
                mishaps = Mishaps(histories, seed=given.seed, pause=given.pause)
                _until(tally, lambda done: given.mishaps - done.total, 5, mishaps.many, given.state)
            else:
                others = _tally(given.state, "ray", given.seed).total
                wanted = max(given.inline, given.total - others)
                _until(tally, lambda done, wanted=wanted: wanted - done.total, 12, histories.inline, given.state)
    finally:
        zygote.close()
    tallies = [_tally(given.state, part, given.seed) for part in PARTS]
    killed = sum(tally.total for tally in tallies[:2])
    if tallies[0].enders >= given.ray and killed >= given.total and tallies[2].total >= given.mishaps:
        _write(given.out, tallies)
    else:
        print("another part is not done yet")


def _tally(state: Path, part: str, seed: int) -> Tally:
    kept = state / f"{part}.json"
    return Tally(**json.loads(kept.read_text())) if kept.exists() else Tally(seed, part)


def _until(tally: Tally, left: Callable[[Tally], int], portion: int, kill: Callable[[int], None], state: Path) -> None:
    """Kill in portions until none is left to do; keep the tally after each."""
    while left(tally) > 0:
        started = time.monotonic()
        kill(min(portion, left(tally)))
        tally.seconds += time.monotonic() - started
        (state / f"{tally.part}.json").write_text(json.dumps(vars(tally)))
        print(f"{datetime.now():%H:%M:%S} {tally.total} {tally.kills}, {tally.seconds / 60:.1f} min", flush=True)


def _write(out: Path, tallies: list[Tally]) -> None:
    kills = {victim: count for tally in tallies[:2] for victim, count in tally.kills.items()}
    found: dict[str, Any] = {
        "faults in all": sum(tally.total for tally in tallies),
        "kills": kills,
        "mishaps": {LABELS[kind]: tallies[2].kills.get(kind, 0) for kind in KINDS},
        "complete trials lost": 0,  # a lost one raises, and so does what stands in the next two lines
        "ids twice in a read view": 0,
        "checkpoints left over at a study's end": 0,
        "kills that left a checkpoint": sum(tally.resumable for tally in tallies),
        "studies that ended equal to a quiet run, verdict included": sum(tally.histories for tally in tallies),
        "longest seconds until a killed run's last process was gone": round(tallies[0].longest_behind, 1),
        "seed": tallies[0].seed,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "minutes": round(sum(tally.seconds for tally in tallies) / 60, 1),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
    out.with_suffix(".md").write_text(_page(found))
    print(json.dumps(found, indent=1))


def _page(found: dict[str, Any]) -> str:
    """Return what people read: some sentences and the table."""
    rows = {f"killed: {victim}": count for victim, count in found["kills"].items()} | found["mishaps"] | found
    del rows["kills"], rows["mishaps"]
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    return (
        "# Faults\n\n"
        f"On {found['date']}, with seed {found['seed']}, runs of one study met {found['faults in all']} faults: "
        f"{sum(found['kills'].values())} times SIGKILL at a random moment, of a driver, a worker, a raylet or the "
        f"whole group of a run through Ray, and {sum(found['mishaps'].values())} mishaps of other kinds. After each "
        "the same command went on. No complete trial was lost, none was in the read view twice, and every study ended "
        "with the rows (bit for bit), the search history and the verdict of a run that nobody disturbed.\n\n"
        "Written by `PYTHONPATH=.:tests/faults python tests/faults/long.py --state FOLDER`, which raises at the first "
        "difference and goes on where it was when called again.\n\n"
        f"| | |\n|---|---|\n{table}"
    )


if __name__ == "__main__":
    main()
