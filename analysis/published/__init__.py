"""Published numbers as data: every figure that was found in the papers, with its conditions and how certain it is.

One CSV a paper holds the numbers as printed (external metrics in percent); `tables.json` holds what a whole table has
in common. Comparing a study with them is `analysis.verdicts.reproduction`.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from analysis.number_format import scale

__all__ = ["UNTRAINED", "Published", "numbers"]

UNTRAINED = ("kmeans",)
"""Methods to which a table's settings of training (learning rate, batch, epochs ...) do not apply."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published number. `value` and `std` are in the ledger's units, so 58.2 % is 0.582."""

    paper: str
    """arXiv number."""
    table: str
    title: str
    method: str
    setting: Mapping[str, str]
    """Knobs that this line of the table varies, and their values as text."""
    dataset: str
    metric: str
    value: float
    std: float
    """Over trials; nan where none is printed."""
    n: int
    """Trials behind `value`; 0 where not stated."""
    protocol: str
    conditions: Mapping[str, Any]
    source: str
    certainty: str
    """`printed`, or what had to be restored, inferred or taken from elsewhere."""
    target: bool
    """Whether it is a number to reproduce: not a development note or an upper bound."""


@cache
def numbers() -> tuple[Published, ...]:
    """Return all published numbers, paper by paper in the order of their tables."""
    folder = files(__name__)
    tables = json.loads(folder.joinpath("tables.json").read_text(encoding="utf-8"))
    found: list[Published] = []
    for name, known in tables.items():
        lines = folder.joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()
        found += [_number(line, known["paper"], known["tables"][line["table"]]) for line in csv.DictReader(lines)]
    return tuple(found)


def _number(line: Mapping[str, str], paper: str, table: Mapping[str, Any]) -> Published:
    factor = scale(line["metric"])
    shared = table["conditions"] | ({} if line["method"] in UNTRAINED else table["training"])
    conditions = {
        name: value.get(line["dataset"]) if isinstance(value, dict) else value for name, value in shared.items()
    }
    return Published(
        paper=paper,
        table=line["table"],
        title=table["title"],
        method=line["method"],
        setting=dict(part.split("=") for part in line["setting"].split(";") if part),
        dataset=line["dataset"],
        metric=line["metric"],
        value=float(line["value"]) / factor,
        std=float(line["std"]) / factor if line["std"] else math.nan,
        n=int(line["n"] or 0),
        protocol=table["protocol"],
        conditions={name: value for name, value in conditions.items() if value is not None},
        source=table["source"],
        certainty=line["certainty"],
        target=line["target"] == "yes",
    )
