"""Methods of a user's own that a study's file declares: a command, a function, an estimator, a Lightning module."""

from __future__ import annotations

from orchestrator.own.command import command
from orchestrator.own.estimator import estimator
from orchestrator.own.function import trainable
from orchestrator.own.lightning import lightning

__all__ = ["command", "estimator", "lightning", "trainable"]
