"""One command, one card: what the project promises of GPUs, measured; writes analysis/benchmarks/gpu.json and gpu.md.

    python tests/gpu/check.py --minutes 8             # on a card
    python tests/gpu/check.py --dry --out FOLDER      # on a CPU: that the check works, small and soon

It runs from a clone with PyTorch, NumPy, pyarrow, psutil, safetensors, threadpoolctl, rich and fastjsonschema; Ray and
the others are used where they are installed. A part that fails is a line in the result, and the others go on; parts are
in the order of what they are worth, and what no time is left for says so. Exit 1: something that must hold does not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import torch
from gpu_parts.card import Card
from gpu_parts.contracts import contracts
from gpu_parts.memory import memory
from gpu_parts.page import page
from gpu_parts.residence import residence
from gpu_parts.speed import speed
from gpu_parts.studies import studies

from trainables.training.numerics import configure_numerics

PARTS: dict[str, tuple[Callable[[Card], dict[str, Any]], float]] = {
    "contracts": (contracts, 0.25),
    "speed": (speed, 0.45),
    "residence": (residence, 0.4),
    "memory": (memory, 0.4),
    "studies": (studies, 1.0),
}
"""name -> (what measures it, the share of the time that is left which it may take)."""


def checked(card: Card, keep: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Return all that was found, and keep it after every part: a machine that is lent may go at any time."""
    began = time.monotonic()
    facts = configure_numerics(card.device, "float32", 1)
    found: dict[str, Any] = {
        "command": "python tests/gpu/check.py",
        "dry": card.dry,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": {"name": facts["device_name"], "memory_bytes": facts["device_memory_bytes"]},
        "parts": {},
    }
    for name, (measure, share) in PARTS.items():
        part = card.until(share)
        found["parts"][name] = part.tried(lambda part=part, measure=measure: measure(part))
        found["seconds"] = round(time.monotonic() - began, 1)
        print(f"{name}: {found['seconds']:.0f} s since start", flush=True)
        keep(found)
    return found


def broken(found: dict[str, Any]) -> list[str]:
    """Return what must hold and does not, and what failed."""
    bounds = [line for part in found["parts"].values() for line in part.get("bounds", ())]
    wrong = [f"{line['what']}: {line['found']:g}" for line in bounds if line["holds"] is False]
    return wrong + list(failed(found["parts"], ""))


def failed(found: Any, place: str) -> Iterator[str]:
    """Yield every error among results within results, with its place."""
    if isinstance(found, dict):
        if "error" in found:
            yield f"{place}: {found['error']}"
        for name, part in found.items():
            yield from failed(part, f"{place} / {name}".lstrip(" /"))
    elif isinstance(found, list):
        for part in found:
            yield from failed(part, place)


def main() -> int:
    """Check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--dry", action="store_true", help="on the CPU, with small sizes")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "analysis" / "benchmarks")
    asked = parser.parse_args()
    if not asked.dry and not torch.cuda.is_available():
        print("torch sees no GPU here; --dry runs the check on the CPU", file=sys.stderr)
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    card = Card(torch.device("cpu" if asked.dry else "cuda"), time.monotonic() + 60 * asked.minutes)

    def keep(found: dict[str, Any]) -> None:
        (asked.out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")
        (asked.out / "gpu.md").write_text(page(found))

    lines = broken(checked(card, keep))
    print("\n".join(lines) or "all that was measured holds")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
