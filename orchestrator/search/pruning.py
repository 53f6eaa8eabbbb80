"""Pruning within a search: a configuration is judged on the mean over its seeds, and stops with all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.search.phase import SearchPhase, mean, shared_epochs

__all__ = ["RoundPruner"]


class RoundPruner:
    """Collects the curves of a search's open round and asks Optuna's pruner once per configuration and epoch."""

    def __init__(self, phase: SearchPhase) -> None:
        self.phase = phase
        self.metric = phase.search.metrics[0]
        self.stopped: set[int] = set()
        self._curves: dict[str, dict[int, float]] = {}
        self._reported: dict[int, int] = {}

    def observe(self, curves: Mapping[str, Mapping[int, float]]) -> None:
        """Take up rows (trial_id -> epoch -> objective) and judge every open configuration that has a new epoch."""
        for trial_id, curve in curves.items():
            self._curves.setdefault(trial_id, {}).update(curve)
        for proposal in self.phase.open:
            known = [self._curves.get(trial_id, {}) for trial_id in self.phase.trial_ids(proposal.number)]
            for epoch in shared_epochs(known):
                if epoch <= self._reported.get(proposal.number, 0):
                    continue
                self._reported[proposal.number] = epoch
                value = mean([curve[epoch] for curve in known])
                if math.isfinite(value) and self.phase.rounds.should_prune(proposal.number, epoch, value):
                    self.stopped.add(proposal.number)

    def hopeless(self, trial_id: str) -> bool:
        """Return whether a trial belongs to a configuration that was stopped."""
        for proposal in self.phase.open:
            if proposal.number in self.stopped and trial_id in self.phase.trial_ids(proposal.number):
                return True
        return False
