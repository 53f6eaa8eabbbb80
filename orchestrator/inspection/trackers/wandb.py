"""Weights & Biases: an offline run a trial, which nothing sends anywhere until somebody says `wandb sync`.

    DIR/wandb/offline-run-<time>-<trial_id>-<attempt>/

The study is the project, the arm the group; evaluations are steps, knobs the config.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from orchestrator.inspection.tracking import TrackedTrial, install

__all__ = ["TRACKER", "WeightsAndBiases"]

MARK = "orchestrate.whole"
"""In a run's folder: it was ended, and by us."""

QUIET: dict[str, Any] = {
    "silent": True,
    "console": "off",
    "disable_git": True,
    "save_code": False,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
"""The run was trained elsewhere: what this process is and prints is none of it."""


class WeightsAndBiases:
    """Writes offline runs.

    Args:
        target: the folder for them.
    """

    def __init__(self, target: Path) -> None:
        self._target = target

    @classmethod
    def of(cls, target: Path) -> WeightsAndBiases:
        """Return the tracker of a folder.

        Raises:
            RequestError: wandb is not installed.
        """
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing leaves this machine
        try:
            import wandb  # noqa: F401
        except ImportError:
            raise install("wandb", "wandb") from None
        return cls(target)

    def has(self, trial: TrackedTrial) -> bool:
        """Return whether the run of this attempt is there in full."""
        return any((folder / MARK).is_file() for folder in self._folders(trial))

    def write(self, trial: TrackedTrial) -> None:
        """Write the run of an attempt; what a killed writer left of it goes."""
        import shutil

        import wandb

        self._target.mkdir(parents=True, exist_ok=True)
        for left in self._folders(trial):
            shutil.rmtree(left)
        run = wandb.init(
            mode="offline",
            dir=str(self._target),
            project=trial.study,
            group=trial.group,
            name=f"{trial.group} {trial.name}",
            id=trial.key,
            tags=[trial.state],
            config={**trial.config, "trial_id": trial.trial_id, "attempt": trial.attempt},
            settings=wandb.Settings(**QUIET),
            reinit="create_new",
        )
        for one in trial.evaluations:
            run.log({**one.values, "seconds": one.seconds}, step=one.epoch)
        run.summary.update({**trial.metrics, "state": trial.state})
        run.finish(exit_code=0 if trial.state != "failed" else 1)
        for folder in self._folders(trial):
            (folder / MARK).touch()

    def look(self) -> str:
        """Return the command that sends the runs to a server of one's own choice."""
        return f"wandb sync {self._target}/wandb/offline-run-*"

    def close(self) -> None:
        """End the service that the runs shared."""
        import wandb

        wandb.teardown()

    def _folders(self, trial: TrackedTrial) -> list[Path]:
        return sorted(self._target.glob(f"wandb/offline-run-*-{trial.key}"))


TRACKER = WeightsAndBiases
