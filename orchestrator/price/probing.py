"""Probing what a study asks for: before its bundles are cut, and for a price."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.bundles.profile import Profile
from orchestrator.bundles.size import known_profile
from orchestrator.executors.base import Executor
from orchestrator.ledger import Ledger, profiles
from orchestrator.price.demand import Demand
from orchestrator.price.probe import ProbeSource, keep_profiles, programs_of

__all__ = ["probe"]


def probe(
    asked: Demand,
    ledger: Ledger,
    executor: Executor,
    device: str,
    *,
    every: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, Profile]:
    """Measure the programs of a study that have no profile yet, and keep what was found; return it by program.

    Programs whose bundles this study has cut already are left alone, since nothing would come of it, and so are small
    ones, of which the probe would be a large part; `every` measures these too.
    """
    catalogue = asked.plan.catalogue
    cut = profiles.read_limits(ledger.folder, asked.plan.study.key)
    programs = []
    here = [spec for spec in asked.missing if spec.dataset not in catalogue.absent]
    for program in programs_of(here, catalogue, device):
        wanted = every or (program.key not in cut and program.worth_probing)
        if wanted and known_profile(ledger, program.key) is None:
            programs.append(program)
    if not programs:
        return {}
    source = ProbeSource(programs, device, catalogue.plugins, stopping)
    executor.run(source)
    return keep_profiles(ledger, source)
