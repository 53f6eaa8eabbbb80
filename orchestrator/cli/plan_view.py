"""What `orchestrate plan` shows: arms, trials, hits, price and power of one study, or the price of all."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.cli.options import PlanOptions
from orchestrator.cli.requested_study import requested_study
from orchestrator.errors import RequestError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.inference.power import PowerReport
from orchestrator.ledger import Ledger
from orchestrator.plan.arms import PlannedArm
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import Plan, choices_of, plan_of
from orchestrator.plan.power import paired_spread
from orchestrator.plan.rehearsal import check_methods
from orchestrator.plan.study_list import studies_of_tier
from orchestrator.price.demand import Demand, demand
from orchestrator.price.disk import disk_of
from orchestrator.price.knowledge import knowledge, start_seconds
from orchestrator.price.price import Price, price
from orchestrator.price.probing import probe
from orchestrator.provenance import machine
from orchestrator.record.study_json import earlier_record, require_own_file
from orchestrator.run.known_results import complete_results
from orchestrator.run.stopping_rule import arm_seed_values
from orchestrator.search.rehearsal import check_searches
from orchestrator.study import Study
from orchestrator.trial import TrialSpec
from orchestrator.values import as_text

__all__ = ["look_up", "plan_of_one", "plans_of_all", "priced_plan", "priced_together"]


def plan_of_one(options: PlanOptions) -> dict[str, Any]:
    """Return the priced plan of the study that the options name, its programs probed first if they say so."""
    study = requested_study(options)
    catalogue = Catalogue(options.plugin, without_data=True)
    if options.probe:
        _probe_here(study, options.results, catalogue)
    return priced_plan(study, options.results, catalogue, options.workers)


def look_up(options: PlanOptions) -> None:
    """Have all facts that a run of the study asks for made, and kept for whoever asks next."""
    study, catalogue = requested_study(options), Catalogue(options.plugin)
    priced_plan(study, options.results, catalogue, options.workers)
    for dataset in study.datasets:
        catalogue.chance(dataset, study.protocol)


def priced_plan(study: Study, results: Path, catalogue: Catalogue, workers: int) -> dict[str, Any]:
    """Return what a study would train: arms with trials and hits, price, what it can detect.

    Args:
        study: what is priced.
        results: the results folder.
        catalogue: methods and datasets; one that plans without data tells which are not here.
        workers: bundles that train at a time; 0: as many as a plan is priced for without saying.
    """
    with Ledger(results) as ledger:
        plan = _plan(study, catalogue, ledger)
        check_searches(plan)
        check_methods(plan.configurations, study.metric, catalogue, study.called)
        asked = demand(plan, ledger)
        known = knowledge([study], catalogue, ledger)
        cost = price(asked.waves, known, workers or _default_workers(study), start_seconds(ledger))
        power = _power(asked, ledger)
        kept = disk_of(asked, ledger)
    return {
        "study": study.key,
        "question": study.question,
        "tier": study.tier,
        "arms": _arm_rows(asked),
        "trials": asked.n_trials,
        "hits": asked.n_hits,
        "missing": len(asked.missing),
        "price": dataclasses.asdict(cost),
        "kept": kept,
        "refused": _refusal(asked.plan),
        "detectable": None if power is None else dataclasses.asdict(power),
        "sentences": [
            _counts(asked),
            *_of_other_code(asked, ledger, catalogue),
            *_merged(asked),
            *_absences(catalogue),
            *_awaited(study, ledger),
            _price_sentence(cost, _unit_of_work(study)),
            *([kept["sentence"]] if kept else []),
            *_power_sentences(study, power),
        ],
    }


def _awaited(study: Study, ledger: Ledger) -> list[str]:
    """Return a sentence for each earlier study that the run goes on from, and that is not in the results folder yet."""
    awaited = dict.fromkeys(design.starts_from for design in study.designs if design.starts_from)
    there = ledger.studies.names() if awaited else []
    return [
        f"It goes on from what the search of {name!r} chose, which is not in {ledger.folder} yet: run that first."
        for name in awaited
        if name not in there
    ]


def plans_of_all(options: PlanOptions) -> dict[str, Any]:
    """Return the price of each study's missing trials and of all together."""
    studies = studies_of_tier(options.tier, tuple(options.plugin))
    return priced_together(studies, options.results, tuple(options.plugin), options.workers)


def priced_together(studies: Sequence[Study], results: Path, plugins: tuple[str, ...], workers: int) -> dict[str, Any]:
    """Return the price of each study's missing trials and of all; a trial that two ask for counts once.

    Args:
        studies: what is priced.
        results: the results folder.
        plugins: folders with a user's own files.
        workers: bundles that train at a time; 0: as many as a plan is priced for without saying.
    """
    catalogue = Catalogue(plugins, without_data=True)
    lines: list[dict[str, Any]] = []
    n_trials = n_exploratory = 0
    confirm: dict[str, TrialSpec] = {}
    waves: list[list[TrialSpec]] = []
    with Ledger(results) as ledger:
        for study in studies:
            asked = demand(_plan(study, catalogue, ledger), ledger)
            known = knowledge([study], catalogue, ledger)
            cost = price(asked.waves, known, workers or _default_workers(study), (0.0, 0.0, 0.0))
            lines.append(_line(asked, cost))
            n_trials, n_exploratory = n_trials + asked.n_trials, n_exploratory + study.exploratory
            new = [spec for trial_id, spec in asked.to_confirm.items() if trial_id not in confirm]
            waves += [*asked.to_search, new]
            confirm |= asked.to_confirm
        known = knowledge(studies, catalogue, ledger)
        total = price(waves, known, workers or _default_workers(studies[0]), start_seconds(ledger))
    return {
        "studies": lines,
        "trials": n_trials,
        "missing": total.n_trials,
        "wall_seconds": list(total.wall_seconds),
        "sentences": [
            f"{len(lines)} studies, {n_exploratory} of them exploratory.",
            *[f"{line['study']} cannot be run: {line['refused']}" for line in lines if line["refused"]],
            *_absences(catalogue),
            _price_sentence(total, _unit_of_work(studies[0])),
        ],
    }


def _plan(study: Study, catalogue: Catalogue, ledger: Ledger) -> Plan:
    """Return the plan of a study with what its searches have chosen in a results folder."""
    require_own_file(study, ledger)
    plan = plan_of(study, catalogue)
    chosen = choices_of(plan, lambda key: earlier_record(ledger, key))
    return plan_of(study, catalogue, chosen) if chosen else plan


def _probe_here(study: Study, results: Path, catalogue: Catalogue) -> None:
    """Measure a study's programs in this process, on its CPU; data that are not here are left out."""
    with Ledger(results, writable=True) as ledger:
        asked = demand(_plan(study, catalogue, ledger), ledger)
        probe(asked, ledger, InlineExecutor("cpu"), "cpu", every=True)


def _power(asked: Demand, ledger: Ledger) -> PowerReport | None:
    plan = asked.plan
    complete = complete_results(ledger, asked.hits)
    values = arm_seed_values(asked.confirm, complete.get, plan.study.metric).by_seed()
    return plan.power(paired_spread(plan.family, values))


def _line(asked: Demand, cost: Price) -> dict[str, Any]:
    study = asked.plan.study
    return {
        "study": study.key,
        "question": study.question,
        "exploratory": study.exploratory,
        "trials": asked.n_trials,
        "hits": asked.n_hits,
        "missing": len(asked.missing),
        "wall_seconds": list(cost.wall_seconds),
        "refused": _refusal(asked.plan),
    }


def _refusal(plan: Plan) -> str:
    """Return why `run` will refuse what is planned; empty: it will not."""
    try:
        plan.require_power()
    except RequestError as error:
        return str(error)
    return ""


def _absences(catalogue: Catalogue) -> list[str]:
    """Return a sentence for each reason why data are not here."""
    return [f"Not here yet: {why}." for why in dict.fromkeys(catalogue.absent.values())]


def _arm_rows(asked: Demand) -> list[dict[str, Any]]:
    arms = {planned.name: planned for planned in asked.plan.arms}
    rows: dict[str, dict[str, Any]] = {}
    for trial in asked.confirm:
        planned = arms[trial.arm]
        row = rows.setdefault(
            trial.arm,
            {
                "name": trial.arm,
                "sets": _sets(planned),
                "trials": 0,
                "hits": 0,
                "decided": planned.decided,
                "chosen_by_search": list(planned.stand_ins),
                "also": list(planned.arm.also) if planned.decided else [],
            },
        )
        row["trials"] += 1
        row["hits"] += trial.spec.trial_id in asked.hits
    return list(rows.values())


def _sets(planned: PlannedArm) -> str:
    """Return what an arm sets; a value that stands in for what a search has still to choose is no value."""
    values = planned.arm.values.items()
    sets = [f"{name}={as_text(value)}" for name, value in values if name not in planned.stand_ins]
    waiting = "" if planned.decided else "else chosen by the search" if sets else "chosen by the search"
    return ", ".join([*sets, *([waiting] if waiting else [])])


def _merged(asked: Demand) -> list[str]:
    """Return a sentence for each arm that stands for several cells of its design."""
    sentences = []
    for planned in asked.plan.arms:
        if planned.decided and planned.arm.also:
            others = ", ".join(map(repr, planned.arm.also))
            sentences.append(f"Trained once, since they mean the same: {planned.name!r} and {others}.")
    return sentences


def _default_workers(study: Study) -> int:
    """Return for how many workers a plan is priced: the cores here, or one GPU for a tier that states GPU rates."""
    return 1 if study.epoch_seconds else int(machine()["cores"])


def _unit_of_work(study: Study) -> str:
    """Return what the study's price is counted in."""
    return "GPU" if study.epoch_seconds else "core"


def _counts(asked: Demand) -> str:
    searched, confirmed = asked.plan.n_search_trials, len(asked.confirm)
    own = f" ({searched} of the search, {confirmed} of the confirmation)" if searched else ""
    return f"{asked.n_trials} trials{own}, {asked.n_hits} of them in the ledger."


def _of_other_code(asked: Demand, ledger: Ledger, catalogue: Catalogue) -> list[str]:
    """Return a sentence for each method of which the ledger has trials that the code of today did not train."""
    if not asked.hits:
        return []
    rows = ledger.table(only=asked.hits, columns=["trial_id", "method", "code_digest"])
    others: Counter[str] = Counter()
    for method, code in zip(rows["method"].to_pylist(), rows["code_digest"].to_pylist(), strict=True):
        others[method] += code != catalogue.method(method).code_digest
    return [
        f"{count} of those of {method} were trained by other code than today's, of the same version: --only-current "
        "trains them again, orchestrate verify compares a sample."
        for method, count in others.items()
        if count
    ]


def _price_sentence(cost: Price, device: str) -> str:
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
    needed, n_seeds = power.discordant_needed, power.replication.n_seeds
    can = math.isfinite(power.detectable_collapse)
    found.append(
        f"How often arms work: {needed} of {n_seeds} seeds on which only one works show a difference"
        + (
            f"; collapse on {power.detectable_collapse:.0%} is found with 80 % power."
            if can
            else ", more than there are."
        )
    )
    return found
