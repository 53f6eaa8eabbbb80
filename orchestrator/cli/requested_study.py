"""The study that a command names, at its tier and with its settings."""

from __future__ import annotations

from orchestrator.cli.options import PlanOptions, RunOptions
from orchestrator.study import Study, check, load
from orchestrator.study.settings import with_settings
from orchestrator.study.tiers import in_tier

__all__ = ["requested_study"]


def requested_study(options: PlanOptions | RunOptions) -> Study:
    """Return the study that the options name.

    Raises:
        RequestError: no such study, tier or setting, or a study that cannot be answered.
    """
    study = with_settings(in_tier(load(options.study, options.plugin), options.tier), options.settings)
    check(study)
    return study
