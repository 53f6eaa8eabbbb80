"""What would change an answer, computed from its rows: seeds that are lacking, margins that are near, other tiers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from analysis.data.study_view import StudyView
from analysis.number_format import join, name, number, unit
from analysis.verdicts.beats_chance import footings
from analysis.verdicts.verdicts import Verdict
from orchestrator.inference.power import seeds_to_detect

__all__ = ["prospects"]

MOST_SEEDS = 10_000
"""More seeds than this are no plan."""
NEAR = 0.5
"""An effect whose interval comes within this share of its estimate to 0 is a near one."""


def prospects(study: StudyView, found: Sequence[Verdict]) -> list[str]:
    """Return sentences on what would change the answer; the last one names what the tier left out."""
    record = study.record
    said = [f"No difference counts before this is mended: {one.sentence}" for one in footings(study) if not one.works]
    said += _open(study, found)
    said += _near(study, found)
    tiers = "another tier" if record.get("tier", "local") == "local" else "other data"
    data = join([str(dataset) for dataset in record["datasets"]])
    said.append(
        f"Everything here is about {data} at the {record.get('tier', 'local')} tier; {tiers}, another network or "
        "another budget may answer otherwise, and only trials there can say."
    )
    return said


def _open(study: StudyView, found: Sequence[Verdict]) -> Iterator[str]:
    """Yield how many seeds inconclusive contrasts would take, if their differences are what they seem."""
    alpha, metric = float(study.record["alpha"]), study.metric
    for verdict in found:
        judgement = verdict.judgement
        spread, size = judgement.descriptive.standard_deviation, abs(judgement.estimate)
        if judgement.decision != "inconclusive" or not (spread > 0 and size > 0):
            continue
        counted = "stages" if judgement.sharing.grouped else "seeds"
        seeds = seeds_to_detect(size, spread, len(found), alpha) if size / spread > MOST_SEEDS**-0.5 else math.inf
        if math.isfinite(seeds) and seeds <= MOST_SEEDS:
            yield (
                f"{verdict.contrast.name}: if the difference is {number(size, metric)}{unit(metric)} as it seems, "
                f"{int(seeds)} {counted} would show it with 80 % power ({judgement.n_pairs} were trained)."
            )
        else:
            yield f"{verdict.contrast.name}: the difference is too small beside its spread for any number of {counted}."


def _near(study: StudyView, found: Sequence[Verdict]) -> Iterator[str]:
    """Name the effects that are least far from none."""
    near = []
    for verdict in found:
        judgement, interval = verdict.judgement, verdict.judgement.interval
        if judgement.decision == "effect" and interval.attainable:
            least = min(abs(interval.low), abs(interval.high))
            if least < NEAR * abs(judgement.estimate):
                near.append(verdict.contrast.name)
    if near:
        yield (
            f"Shown, but with an interval that comes near to none in {name(study.metric)}: {join(near)}; more seeds "
            "may make these effects smaller."
        )
