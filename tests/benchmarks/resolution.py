"""What the studies of a ledger can resolve: detectable effect against margin, arms at rest, seconds, data.

    python tests/benchmarks/resolution.py [--results analysis/ledger]

One line a study, then how many confirmatory ones detect an effect of their margin (80 % power, middle contrast, at the
spread that was observed), how many arms still moved, and how many studies are of other data than 8 x 8 digits.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from analysis.data import study_view
from analysis.data.under_trained import under_trained
from analysis.number_format import unit
from analysis.pages.parts import parts_of

ROOT = Path(__file__).parents[2]


def resolved(results: Path, name: str) -> dict[str, object]:
    """Return what one study can resolve."""
    study = study_view.load(results, name)
    parts, record = parts_of(study), study.record
    at_rest = under_trained(parts.epochs, study.metric if unit(study.metric) else "nmi")
    return {
        "study": name,
        "exploratory": bool(record["exploratory"]),
        "seeds": len(record["seeds"]["seeds"]),
        "trials": int(study.rows["trial_id"].nunique()),
        "seconds": float(study.rows.drop_duplicates("trial_id")["cost.seconds"].sum()),
        "margin": record.get("margin"),
        "detectable": parts.detectable.difference if parts.detectable else None,
        "arms": len(at_rest),
        "moving": int((at_rest["moved"].abs() > 0.01).sum()),
        "above_chance": all(one.works for one in parts.footings),
        "digits": all(dataset.partition(":")[0] == "digits" for dataset in record["datasets"]),
    }


def line(row: dict[str, object]) -> str:
    """Return a study's line."""
    margin, least = row["margin"], row["detectable"]
    effect = "describes" if row["exploratory"] or least is None else f"{least:.3f} of {margin:.3f}"
    data = "digits" if row["digits"] else ""
    return (
        f"{row['study']:<52} {row['seeds']:>3} seeds {row['trials']:>4} trials {row['seconds']:>5.0f} s  "
        f"{effect:<16} moving {row['moving']}/{row['arms']}  {'' if row['above_chance'] else 'not above chance'} {data}"
    ).rstrip()


def main() -> None:
    """Print the table and its sums."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, default=ROOT / "analysis/ledger")
    parser.add_argument("--json", action="store_true", help="print JSON, nothing else")
    options = parser.parse_args()
    names = sorted(path.name for path in (options.results / "studies").iterdir())
    rows = [resolved(options.results, name) for name in names]
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(line(row))
    tested = [row for row in rows if not row["exploratory"]]
    able = sum(row["detectable"] <= row["margin"] for row in tested)
    arms, moving = sum(row["arms"] for row in rows), sum(row["moving"] for row in rows)
    print(
        f"{len(rows)} studies, {len(rows) - len(tested)} exploratory, {sum(not row['digits'] for row in rows)} not of "
        f"digits alone; detectable <= margin in {able} of {len(tested)} ({100 * able / len(tested):.0f} %); "
        f"under-trained arms {moving} of {arms} ({100 * moving / arms:.1f} %); "
        f"{sum(row['trials'] for row in rows)} trials asked for, "
        f"{sum(row['seconds'] for row in rows) / 3600:.2f} core-hours"
    )


if __name__ == "__main__":
    main()
