"""How often the 95 % interval holds what it should, where no theorem promises it: the simulated table in the docs."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

__all__ = ["END", "START", "as_markdown", "simulated", "with_table"]

START = "<!-- coverage: made by `python -m analysis.verdicts.coverage analysis/statistics.md` -->"
END = "<!-- end of coverage -->"


def simulated() -> list[dict[str, Any]]:
    """Return the rows that `tests/benchmarks/coverage.py` wrote: differences, n_pairs, n_studies, shares covered."""
    text = files("analysis").joinpath("benchmarks/coverage.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)["rows"]
    return rows


def as_markdown() -> str:
    """Return one line a distribution of paired differences, the sign-flip interval and the paired t at each n."""
    rows = simulated()
    pairs = sorted({int(row["n_pairs"]) for row in rows})
    by = {(row["differences"], int(row["n_pairs"])): row for row in rows}
    head = "| paired differences | " + " | ".join(f"n = {n}" for n in pairs) + " |"
    lines = [head, "|---" * (1 + len(pairs)) + "|"]
    for name in dict.fromkeys(row["differences"] for row in rows):
        cells = [f"{by[name, n]['sign_flip']:.3f} ({by[name, n]['paired_t']:.3f})" for n in pairs]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """Return a page with the table between its marks renewed."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{as_markdown()}\n\n{END}{after}"


if __name__ == "__main__":
    import sys
    from pathlib import Path

    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
