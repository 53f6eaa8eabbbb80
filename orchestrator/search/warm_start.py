"""What a search knows of the ledger: its own proposals from before, and where it may begin from.

A search that goes on knows the configurations that its method was searched with on its data, so that a replay by
another processor finds them again (see `samplers.known`).

With `warm_start` it begins from those that it could have asked for itself. An earlier configuration counts only if it
has a complete trial, with every objective, on exactly the search seeds of this search, of the same method, version,
data, protocol, budget and knobs outside the search: the trial_ids that this search would have given it. Its rows then
say of it what they would say had it been asked for here, so that it may also be chosen. Confirm seeds are never looked
at. Which ones are taken, if there are more, follows from their ids and from no result. They are recorded in study.json,
and the same command goes on from those, whatever has come since.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from orchestrator.inference.selection import objective_metric
from orchestrator.knobs import Value
from orchestrator.ledger import Ledger
from orchestrator.search.phase import LookUp, SearchPhase
from orchestrator.search.replay import KnownConfigurations
from orchestrator.trial import SeedBlock, TrialState

__all__ = ["begin"]


def _remember(searches: Sequence[SearchPhase], rows: pd.DataFrame) -> None:
    """Tell searches what their methods were searched with on their data."""
    for phase in searches:
        if len(rows):
            own = rows[(rows["method"] == phase.search.method) & (rows["dataset"] == phase.dataset)]
            texts = own.loc[own["seed_block"] == SeedBlock.SEARCH, "config"].drop_duplicates()
            phase.rounds.known = KnownConfigurations(map(json.loads, texts))


def begin(searches: Sequence[SearchPhase], ledger: Ledger, settled: LookUp, record: Mapping[str, Any]) -> None:
    """Tell searches what the ledger knows of them, and let those that want it begin from earlier configurations.

    Args:
        searches: the searches of a study; nothing has been asked.
        ledger: whose trials are looked at.
        settled: what counts of them (of the present code only, for instance).
        record: the study's earlier record, or nothing.
    """
    if not searches:
        return
    rows = ledger.trials()
    _remember(searches, rows)
    entries = [*record.get("searches", ()), *[{}] * len(searches)]
    for phase, entry in zip(searches, entries, strict=False):
        if phase.search.warm_start:
            known = {key: values for key, values in _candidates(rows, phase, settled)}
            taken = _recorded(phase, entry, known)
            if taken is None:
                taken = sorted(known)[: phase.search.warm_start]
            phase.begin_from([known[key] for key in taken], settled)


def _candidates(
    rows: pd.DataFrame, phase: SearchPhase, settled: LookUp
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Value]]]:
    """Yield the trial_ids and the values of every configuration that the search may begin from."""
    if rows.empty:
        return
    own = rows[(rows["method"] == phase.search.method) & (rows["seed_block"] == SeedBlock.SEARCH)]
    own = own[own["state"] == TrialState.COMPLETE]
    metrics = [objective_metric(rule) for rule in phase.search.rules]
    for text in own["config"].unique():
        values = phase.rounds.fitting(json.loads(text))
        if values is None:
            continue
        ids = tuple(spec.trial_id for spec in phase.specs(values))
        found = [settled(trial_id) for trial_id in ids]
        if all(
            one is not None
            and one.state is TrialState.COMPLETE
            and all(math.isfinite(one.metrics.get(metric, math.nan)) for metric in metrics)
            for one in found
        ):
            yield ids, values


def _recorded(
    phase: SearchPhase, entry: Mapping[str, Any], known: Mapping[tuple[str, ...], object]
) -> list[tuple[str, ...]] | None:
    """Return what an earlier run of this search began from; None: there was none, or it cannot begin so again."""
    same = (entry.get("method"), entry.get("dataset")) == (phase.search.method, phase.dataset)
    earlier = entry.get("warm_start") if same else None
    if not earlier or earlier["at_most"] != phase.search.warm_start:
        return None
    taken = [tuple(ids) for ids in earlier["trial_ids"]]
    return taken if all(ids in known for ids in taken) else None
