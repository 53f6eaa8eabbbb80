"""Probing what a study asks for: before its bundles are cut, and for a price."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.bundles.profile import Profile
from orchestrator.bundles.size import known_profile
from orchestrator.cli.plan_view import demand
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger, profiles
from orchestrator.plan.planning import Catalogue
from orchestrator.price.probe import ProbeSource, keep_profiles, programs_of
from orchestrator.study import Study

__all__ = ["probe", "probe_here"]


def probe(
    study: Study,
    ledger: Ledger,
    catalogue: Catalogue,
    executor: Any,
    device: str,
    *,
    every: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, Profile]:
    """Measure the programs of a study that have no profile yet, and keep what was found; return it by program.

    Programs whose bundles this study has cut already are left alone, since nothing would come of it, and so are small
    ones, of which the probe would be a large part; `every` measures these too.
    """
    cut = profiles.read_limits(ledger.folder, study.key)
    missing = demand(study, catalogue, ledger, ledger.trials()).missing
    specs = [spec for spec in missing if spec.dataset not in catalogue.absent]
    programs = [
        program
        for program in programs_of(specs, catalogue, device)
        if (every or (program.key not in cut and program.worth_probing)) and known_profile(ledger, program.key) is None
    ]
    if not programs:
        return {}
    source = ProbeSource(programs, device, catalogue.plugins, stopping)
    executor.run(source)
    return keep_profiles(ledger, source)


def probe_here(study: Study, results: Path, plugins: tuple[str, ...]) -> dict[str, Profile]:
    """Measure a study's programs in this process, on its CPU; data that are not here are left out."""
    catalogue = Catalogue(plugins, without_data=True)
    with Ledger(results, writable=True) as ledger:
        return probe(study, ledger, catalogue, InlineExecutor(), "cpu", every=True)
