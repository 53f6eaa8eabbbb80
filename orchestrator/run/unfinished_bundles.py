"""Bundles that a killed or interrupted run left in the middle: which of them go on as they were."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from orchestrator.ledger import Ledger
from orchestrator.trial import TrialSpec

__all__ = ["forget_ended", "revivable"]


def revivable(ledger: Ledger, wanted: Mapping[str, TrialSpec], missing: Collection[str]) -> list[tuple[TrialSpec, ...]]:
    """Return the members, in their order, of the bundles to hand out again whole, so that they find their checkpoints.

    Members that ended keep their places in such a bundle; a trial goes on in one bundle only, the one that was written
    to last (half of a bundle that was lost, rather than the whole of it).

    Args:
        ledger: whose checkpoints are looked at.
        wanted: trial_id -> spec of everything that may share a bundle, trials that have ended included.
        missing: those of them that are to be trained.
    """
    left, asked = set(missing), set(missing)
    found = []
    for bundle_id in ledger.checkpoints.unfinished():
        members = ledger.checkpoints.members(bundle_id)
        elsewhere = asked - left  # they go on in a bundle that was written to later
        if left.intersection(members) and wanted.keys() >= set(members) and elsewhere.isdisjoint(members):
            found.append(tuple(wanted[member] for member in members))
            left.difference_update(members)
    return found


def forget_ended(ledger: Ledger, has_ended: Callable[[str], bool]) -> None:
    """Delete the checkpoints from which nobody can go on: all members have ended, or nobody knows who they are.

    What another study left in the middle stays, for its next run.
    """
    for bundle_id in ledger.checkpoints.unfinished():
        if all(map(has_ended, ledger.checkpoints.members(bundle_id))):
            ledger.checkpoints.forget(bundle_id)
