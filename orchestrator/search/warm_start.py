"""What a search knows of the ledger: its own proposals from before, and where it may begin from.

A search that goes on knows the configurations that its method was searched with on its data, so that a replay by
another processor finds them again (see `search.replay`).

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
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.designs.search import Search
from orchestrator.knobs import Value
from orchestrator.ledger import Ledger
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import LookUp, TrialResult
from orchestrator.search.phase import SearchPhase
from orchestrator.search.replay import KnownConfigurations
from orchestrator.trial import SeedBlock, TrialState, ids
from orchestrator.values import plain

__all__ = ["searches_of"]

COLUMNS = ("method", "dataset", "seed_block", "state", "config")


def searches_of(
    plan: Plan, ledger: Ledger, look_up: LookUp, record: Mapping[str, Any]
) -> dict[tuple[str, int], SearchPhase]:
    """Return the searches of a plan, each with what the ledger knows of it, by dataset and place of the design.

    Args:
        plan: whose searches begin; nothing has been asked.
        ledger: whose trials are looked at.
        look_up: what counts of them (of the present code only, for instance).
        record: the study's earlier record, or nothing.
    """
    asked = plan.searches
    rows = _searched(ledger.table(columns=COLUMNS)) if asked else pa.table({})
    entries = [*record.get("searches", ()), *[{}] * len(asked)]
    found = {}
    for (dataset, index, search), entry in zip(asked, entries, strict=False):
        phase = _phase(plan, search, dataset, rows, ledger)
        if search.warm_start:
            known = dict(_candidates(rows, phase, look_up))
            taken = _recorded(phase, entry, known)
            if taken is None:
                taken = sorted(known)[: search.warm_start]
            phase.begin_from([known[key] for key in taken], look_up)
        found[dataset, index] = phase
    return found


def _phase(plan: Plan, search: Search, dataset: str, rows: pa.Table, ledger: Ledger) -> SearchPhase:
    """Return a search that has asked for nothing yet, with the draws under which the ledger has its beginning.

    Draws of older ledgers followed from the labels too: a search that began so goes on so.
    """
    known = _known_configurations(plan, search.method, dataset, rows)
    about = plan.catalogue.dataset(dataset, plan.study.protocol)
    if len(known):
        for salt in (about.inputs_digest, about.digest):
            beginning = SearchPhase(plan, search, dataset, known, salt)
            first = [ids(beginning.specs(proposal.values)) for proposal in beginning.rounds.ask()]
            if ledger.states(set(chain.from_iterable(first))):
                return SearchPhase(plan, search, dataset, known, salt)
    return SearchPhase(plan, search, dataset, known)


def _searched(rows: pa.Table) -> pa.Table:
    """Return the rows of trials on seeds of searches."""
    return rows.filter(pc.equal(rows["seed_block"], str(SeedBlock.SEARCH)))


def _known_configurations(plan: Plan, method: str, dataset: str, rows: pa.Table) -> KnownConfigurations:
    """Return what a method was searched with on a dataset, to the last bit; knobs that came later at their default.

    Args:
        plan: whose methods it knows.
        method: the method's name.
        dataset: the dataset's reference.
        rows: of seeds of searches.
    """
    own = rows.filter(pc.and_(pc.equal(rows["method"], method), pc.equal(rows["dataset"], dataset)))
    texts = own["config"].unique().to_pylist() if own.num_rows else []
    later = {name: knob.default for name, knob in plan.catalogue.space(method).items() if knob.since is not None}
    return KnownConfigurations({**later, **_with_tuples(json.loads(text))} for text in texts)


def _with_tuples(config: Mapping[str, Any]) -> dict[str, Value]:
    return {name: plain(value) if isinstance(value, list) else value for name, value in config.items()}


def _candidates(
    rows: pa.Table, phase: SearchPhase, look_up: LookUp
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Value]]]:
    """Yield the trial_ids and the values of every configuration that the search may begin from."""
    complete = pc.equal(rows["state"], str(TrialState.COMPLETE))
    own = rows.filter(pc.and_(pc.equal(rows["method"], phase.search.method), complete))
    metrics = phase.search.metrics
    for text in own["config"].unique().to_pylist():
        values = phase.rounds.fitting(json.loads(text))
        if values is None:
            continue
        trial_ids = tuple(ids(phase.specs(values)))
        if all(_is_whole(look_up(trial_id), metrics) for trial_id in trial_ids):
            yield trial_ids, values


def _is_whole(result: TrialResult | None, metrics: Sequence[str]) -> bool:
    """Return whether a trial is complete, and has a number under each metric."""
    if result is None or result.state is not TrialState.COMPLETE:
        return False
    return all(math.isfinite(result.metrics.get(metric, math.nan)) for metric in metrics)


def _recorded(
    phase: SearchPhase, entry: Mapping[str, Any], known: Mapping[tuple[str, ...], object]
) -> list[tuple[str, ...]] | None:
    """Return what an earlier run of this search began from; None: there was none, or it cannot begin so again."""
    same = (entry.get("method"), entry.get("dataset")) == (phase.search.method, phase.dataset)
    earlier = entry.get("warm_start") if same else None
    if not earlier or earlier["at_most"] != phase.search.warm_start:
        return None
    taken = [tuple(trial_ids) for trial_ids in earlier["trial_ids"]]
    return taken if known.keys() >= set(taken) else None
