"""The study that a command names, at its tier and with its settings."""

from __future__ import annotations

from orchestrator.cli.options import PlanOptions, RunOptions
from orchestrator.study import Study, check, key_of, load
from orchestrator.study.settings import with_settings
from orchestrator.study.tiers import in_tier

__all__ = ["is_new", "requested_study"]


def requested_study(options: PlanOptions | RunOptions) -> Study:
    """Return the study that the options name.

    Raises:
        RequestError: no such study, tier or setting, or a study that cannot be answered.
    """
    study = with_settings(in_tier(load(options.study, options.plugin), options.tier), options.settings)
    check(study)
    return study


def is_new(options: RunOptions, key: str = "") -> bool:
    """Return whether a study has left nothing in the results folder, so that a run surely has work, if it can be.

    Args:
        options: of the run.
        key: of the study; empty: of the one that the options name, which need not be loaded for that.
    """
    key = key or key_of(options.study, options.tier)
    return not (options.retry_failed or (options.results / "studies" / key).exists())
