"""What is shown before anything is spent: the list of studies, and a study's plan."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from orchestrator import discovery
from orchestrator.bundles.size import BundleLimits, known_profile
from orchestrator.designs.around import Around
from orchestrator.designs.base import text
from orchestrator.designs.search import Search
from orchestrator.inference.power import PowerReport
from orchestrator.ledger import Ledger
from orchestrator.plan.planning import (
    Catalogue,
    PlannedArm,
    PlannedTrial,
    confirm_trials,
    contrasts,
    placeholder,
    planned_arms,
    validate,
)
from orchestrator.plan.power import detectability, paired_spread
from orchestrator.price.price import START_SECONDS, Knowledge, Price, price
from orchestrator.provenance import machine
from orchestrator.run.known_results import settled_view
from orchestrator.run.stopping_rule import values_of
from orchestrator.study import Study, load
from orchestrator.trial import SeedBlock, TrialSpec

__all__ = ["Demand", "demand", "knowledge", "plan", "price_sentence", "start_seconds", "studies"]


def studies(plugins: tuple[str, ...], knob: str) -> list[dict[str, Any]]:
    """Return one mapping a study: name, paper, question, methods, knobs, datasets, trials."""
    catalogue = Catalogue(plugins)
    rows = []
    for name in discovery.names("study", plugins):
        study = load(name, plugins)
        if knob and not any(knob in (full, full.split(".")[-1]) for full in study.knobs):
            continue
        rows.append(
            {
                "name": name,
                "paper": study.paper,
                "question": study.question,
                "methods": list(study.methods),
                "knobs": list(study.knobs),
                "datasets": list(study.datasets),
                "tiers": ["local", *study.tiers],
                "trials": _n_trials(study, catalogue),
            }
        )
    return rows


def _n_trials(study: Study, catalogue: Catalogue) -> int:
    searched = sum(search.n_configurations * search.n_seeds for search in study.searches())
    arms = sum(
        len(design.arms(catalogue.space(design.method), {}))
        for design in study.designs
        if not isinstance(design, Search)
    )
    return len(study.datasets) * (searched + arms * study.looks[-1])


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a study asks for, what of it the ledger has, and what is missing."""

    study: Study
    planned: list[tuple[PlannedArm, PlannedTrial]]
    """Confirm trials at the last look."""
    hits: set[str]
    searched: int
    search_hits: int
    to_confirm: dict[str, TrialSpec]
    """Missing confirm trials by trial_id."""
    to_search: list[list[TrialSpec]]
    """Round by round, stand-ins for the missing trials of searches: a price needs no more."""

    @property
    def n_trials(self) -> int:
        """Trials in all."""
        return self.searched + len(self.planned)

    @property
    def n_hits(self) -> int:
        """Those in the ledger."""
        return self.search_hits + len(self.hits)

    @property
    def missing(self) -> list[TrialSpec]:
        """Those to be trained."""
        return [spec for wave in self.waves for spec in wave]

    @property
    def waves(self) -> list[list[TrialSpec]]:
        """Those to be trained, in groups of which each waits for the one before."""
        return [*self.to_search, list(self.to_confirm.values())]


def demand(study: Study, catalogue: Catalogue, ledger: Ledger, rows: pd.DataFrame) -> Demand:
    """Return what a study asks for, beside what the ledger (and `rows`, its read view) has."""
    record = ledger.read_study(study.key)[0] if study.key in ledger.study_names() else {}
    planned = _planned(study, catalogue, record)
    hits = ledger.complete([trial.spec.trial_id for _, trial in planned])
    searched = sum(search.n_configurations * search.n_seeds for search in study.searches()) * len(study.datasets)
    search_hits = _search_hits(record, rows)
    wanted = {trial.spec.trial_id: trial.spec for _, trial in planned}
    return Demand(
        study=study,
        planned=planned,
        hits=hits,
        searched=searched,
        search_hits=search_hits,
        to_confirm={trial_id: spec for trial_id, spec in wanted.items() if trial_id not in hits},
        to_search=_search_rounds(study, catalogue, record, ledger),
    )


def known_rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows that a price may learn from: the ledger's, and of methods that it lacks the packaged ledger's.

    The latter are marked `elsewhere`: another machine trained them.
    """
    packaged = Path(discovery.find_package("analysis")) / "ledger"
    if not (packaged / "trials").is_dir():
        return rows
    others = Ledger(packaged).trials().assign(elsewhere=True)
    if rows.empty or others.empty:
        return others if rows.empty else rows
    return pd.concat([rows, others[~others["method"].isin(set(rows["method"]))]], ignore_index=True)


def knowledge(
    studies: Sequence[Study], catalogue: Catalogue, ledger: Ledger, rows: pd.DataFrame, device: str = "cpu"
) -> Knowledge:
    """Return what the price of studies can be learnt from: rows, probes, stated rates, the sizes of their bundles."""
    limits = BundleLimits(ledger, catalogue, studies[0].key, device)

    def limit(spec: TrialSpec) -> int:
        return LIMIT_WITHOUT_DATA if spec.dataset in catalogue.absent else limits.looked_up(spec)

    return Knowledge(
        rows=known_rates(rows),
        spaces=catalogue.spaces([method for study in studies for method in study.methods]),
        profile=lambda key: known_profile(ledger, key),
        limit=limit,
        stated={method: rate for study in studies for method, rate in study.epoch_seconds.items()},
        device=device,
    )


def start_seconds(ledger: Ledger) -> tuple[float, float, float]:
    """Return (low, expected, high) time before the first bundle trains, from earlier runs in this folder if any."""
    names = ledger.study_names()
    known = [run["start_seconds"] for name in names for run in ledger.read_study(name)[0].get("runs", ())]
    known = [seconds for seconds in known if seconds]
    if not known:
        return START_SECONDS
    middle = statistics.median(known)
    return min([*known, middle / 1.5]), middle, max([*known, middle * 1.5])


LIMIT_WITHOUT_DATA = 16
"""Largest bundle of a plan whose data are not here."""


def plan(study: Study, results: Path, plugins: tuple[str, ...], workers: int) -> dict[str, Any]:
    """Return what a study would train: arms with trials and hits, price, what it can detect."""
    catalogue = Catalogue(plugins, without_data=True)
    n_contrasts = validate(study, catalogue)
    with Ledger(results) as ledger:
        rows = ledger.trials()
        asked = demand(study, catalogue, ledger, rows)
        known = knowledge([study], catalogue, ledger, rows)
        cost = price(asked.waves, known, workers or default_workers(study), start_seconds(ledger))
    values, _ = values_of([trial for _, trial in asked.planned], settled_view(rows).get, study.metric)
    arms = {arm.name: arm for arm, _ in asked.planned}
    family = [contrast for contrast, _ in contrasts(study, list(arms.values()))]
    power = detectability(study, n_contrasts, paired_spread(family, values))
    return {
        "study": study.key,
        "question": study.question,
        "tier": study.tier,
        "arms": _arm_rows(asked.planned, asked.hits),
        "trials": asked.n_trials,
        "hits": asked.n_hits,
        "missing": len(asked.missing),
        "price": dataclasses.asdict(cost),
        "detectable": None if power is None else dataclasses.asdict(power),
        "sentences": [
            _counts(asked.searched, len(asked.planned), asked.n_hits),
            *(f"Not here yet: {why}." for why in dict.fromkeys(catalogue.absent.values())),
            price_sentence(cost, device_of(study)),
            *_power_sentences(study, power),
        ],
    }


def default_workers(study: Study) -> int:
    """Return for how many workers a plan is priced: the cores here, or one GPU for a tier that states GPU rates."""
    return 1 if study.epoch_seconds else int(machine()["cores"])


def device_of(study: Study) -> str:
    """Return what the study's price is counted in."""
    return "GPU" if study.epoch_seconds else "core"


def _counts(searched: int, confirmed: int, hits: int) -> str:
    own = f" ({searched} of the search, {confirmed} of the confirmation)" if searched else ""
    return f"{searched + confirmed} trials{own}, {hits} of them in the ledger."


def price_sentence(cost: Price, device: str) -> str:
    """Return what is still to be trained costs, in one sentence."""
    if not cost.n_trials:
        return "Nothing is left to train."
    if cost.unknown:
        return f"No price yet: the ledger has no trial of {', '.join(cost.unknown)}; the first run teaches it."
    expected, low, high = cost.wall_seconds
    peak, least, most = (peak / 2**30 for peak in cost.peak_memory_bytes)
    memory = f"; peak memory of a worker {peak:.2f} GiB ({least:.2f} to {most:.2f})" if peak > 0 else ""
    hours, fewest, longest = (seconds / 3600 for seconds in (cost.core_seconds, cost.low, cost.high))
    return (
        f"Price of the {cost.n_trials} missing ones in {cost.n_bundles} bundles, with 90 % intervals: {hours:.3f} "
        f"{device}-hours ({fewest:.3f} to {longest:.3f}); {expected:.0f} s ({low:.0f} to {high:.0f}) on {cost.workers} "
        f"worker{'s' * (cost.workers > 1)}, start-up included{memory}."
    )


def _power_sentences(study: Study, power: PowerReport | None) -> list[str]:
    if power is None:
        return ["This study describes; it tests nothing."]
    floor = f"Smallest corrected p that {study.looks[-1]} seeds and {power.replication.contrasts} contrasts can give: "
    found = [floor + f"{power.smallest_p:.2g} (alpha {study.alpha:g})."]
    if power.spread is None:
        found.append(
            "What it can detect follows from the spread of paired differences, which the ledger does not know yet."
        )
    else:
        low, high = power.detectable_interval
        found.append(
            f"With 80 % power it detects differences of {study.metric} from {power.detectable:.4f} "
            f"({low:.4f} to {high:.4f} over the spread's uncertainty)."
        )
    return found


def _planned(study: Study, catalogue: Catalogue, record: Mapping[str, Any]) -> list[tuple[PlannedArm, PlannedTrial]]:
    found = []
    for dataset in study.datasets:
        for index, design in enumerate(study.designs):
            if isinstance(design, Search):
                continue
            base = _chosen(record, design, dataset) or placeholder(design, catalogue)
            for arm in planned_arms(study, index, design, dataset, base, catalogue):
                found += [(arm, trial) for trial in confirm_trials(study, [arm], range(study.looks[-1]), catalogue)]
    return found


def _arm_rows(planned: Sequence[tuple[PlannedArm, PlannedTrial]], hits: Collection[str]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for arm, trial in planned:
        sets = ", ".join(f"{name}={text(value)}" for name, value in arm.arm.values.items())
        row = rows.setdefault(arm.name, {"name": arm.name, "sets": sets, "trials": 0, "hits": 0})
        row["trials"] += 1
        row["hits"] += trial.spec.trial_id in hits
    return list(rows.values())


def _search_hits(record: Mapping[str, Any], rows: pd.DataFrame) -> int:
    known = set(rows["trial_id"]) if len(rows) else set()
    asked = [t for search in record.get("searches", []) for told in search["history"] for t in told["trial_ids"]]
    return len(known.intersection(asked))


def _search_rounds(
    study: Study, catalogue: Catalogue, record: Mapping[str, Any], ledger: Ledger
) -> list[list[TrialSpec]]:
    """Return stand-ins for what searches have still to ask for, round by round: they cost what the base costs."""
    rounds: list[list[TrialSpec]] = []
    for search in study.searches():
        for dataset in study.datasets:
            left = search.n_configurations - _n_told(record, search.method, dataset, ledger)
            spec = catalogue.spec(study, search.method, search.base, dataset, search.n_epochs)
            own = [replace(spec, seed=seed, seed_block=SeedBlock.SEARCH) for seed in range(search.n_seeds)]
            together = search.round_size * (1 + search.rounds_ahead)
            for number, begin in enumerate(range(0, left, together)):
                rounds += [[]] if number == len(rounds) else []
                rounds[number] += own * min(together, left - begin)
    return rounds


def _n_told(record: Mapping[str, Any], method: str, dataset: str, ledger: Ledger) -> int:
    """Return how many configurations of a search were told, and are still in the ledger."""
    for search in record.get("searches", []):
        if (search["method"], search["dataset"]) == (method, dataset):
            asked = [told["trial_ids"] for told in search["history"] if not told.get("warm_start")]
            return sum(len(ledger.states(trial_ids)) == len(trial_ids) for trial_ids in asked)
    return 0


def _chosen(record: Mapping[str, Any], design: object, dataset: str) -> Mapping[str, Any]:
    if not isinstance(design, Around):
        return {}
    for search in record.get("searches", []):
        if search["dataset"] == dataset and search["method"] == design.method and search["chosen"]:
            chosen: Mapping[str, Any] = search["chosen"]
            return chosen
    return {}
