"""Whether training together changes anything: now and then a member of a bundle is trained again, alone, and compared.

On a CPU at one thread the rows of both are the same bits. Elsewhere sums may be added up in another order, and labels
that flip turn that into whole points later on: there the losses of the first evaluation have to agree. A difference
ends fusing for that shape (method, dataset, knobs that make another program) in this study. It may also come from a
check that ran on another kind of processor than its bundle: then fusing ends for nothing, which costs time only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.trial import Bundle, FailureKind, TrialOutcome, TrialSpec, TrialState, digest

__all__ = ["EquivalenceGuard", "sentence"]

TRIALS_PER_CHECK = 100
"""After the first check of a command there is at most one for so many trials trained in bundles: 1 % of them."""

AGAIN_AFTER = 500
"""Trials of a shape from one check of it to the next."""

TOLERANCE = 1e-5
"""Relative difference of first losses that passes where bits are not promised."""

BLAMELESS = (FailureKind.INFRASTRUCTURE, FailureKind.PREEMPTION, FailureKind.TIMEOUT, FailureKind.OUT_OF_MEMORY)
"""Failures of a check that say nothing about fusing."""


@dataclass(frozen=True)
class _Check:
    """A member that is trained again: its bundle's shape, id and size, and its rows there."""

    shape: str
    bundle_id: str
    size: int
    rows: pa.Table


class EquivalenceGuard:
    """Chooses the checks of a command, compares, and knows which shapes train alone.

    Which bundles are checked follows from the order in which they are handed out, and which member from the id of the
    bundle: neither depends on the number of workers.

    Args:
        shape_of: the shape of a trial, as bundling has it.
        record: what earlier commands remembered (`record` of their guards), or nothing.
        exact: whether bits are promised.
    """

    def __init__(self, shape_of: Callable[[TrialSpec], str], record: Mapping[str, Any], *, exact: bool) -> None:
        self._shape_of, self._exact = shape_of, exact
        self._checks: list[dict[str, Any]] = [dict(entry) for entry in record.get("checks", ())]
        self._since: dict[str, int] = dict(record.get("trials_since", {}))
        """Shape -> trials handed out in bundles since its last check began; shapes without a check are not in it."""
        self._trials = self._begun = 0
        self._due: dict[str, str] = {}
        """bundle_id -> shape of bundles under way that are to be checked."""
        self._open: dict[str, _Check] = {}

    def handed_out(self, bundle: Bundle) -> None:
        """Take note of a bundle that begins, and decide whether one of its members is to be checked."""
        if len(bundle) < 2:
            return
        shape = self._shape(bundle.specs[0])
        self._trials += len(bundle)
        since = self._since.get(shape, AGAIN_AFTER)
        if since >= AGAIN_AFTER and self._begun <= self._trials / TRIALS_PER_CHECK:
            self._due[bundle.bundle_id] = shape
            self._begun += 1
            since = 0
        if since or bundle.bundle_id in self._due or shape in self._since:
            self._since[shape] = since + len(bundle)

    def ended(self, bundle: Bundle, complete: Collection[str], rows: pa.Table | None) -> Bundle | None:
        """Return the check that is due now that `bundle` has ended: one of its members, to be trained alone.

        It has the number of an attempt that is to come, but what it gives is compared and then dropped.

        Args:
            bundle: what ended.
            complete: ids of its members that are complete.
            rows: their evaluations in the bundle.
        """
        if bundle.bundle_id not in self._due:
            return None
        shape = self._due.pop(bundle.bundle_id)
        members = [member for member, spec in enumerate(bundle.specs) if spec.trial_id in complete]
        if not members or rows is None:
            self._call_off(shape)
            return None
        member = members[int(bundle.bundle_id, 16) % len(members)]
        check = Bundle((bundle.specs[member],), (bundle.attempt(member) + 1,))
        own = rows.filter(pc.equal(rows["trial_id"], check.specs[0].trial_id))
        self._open[check.bundle_id] = _Check(shape, bundle.bundle_id, len(bundle), own)
        return check

    def will_check(self, bundle: Bundle) -> bool:
        """Whether a member of a bundle that was handed out will be trained again, alone, when it has ended."""
        return bundle.bundle_id in self._due

    def is_check(self, bundle: Bundle) -> bool:
        """Whether a bundle is a check: its rows are compared, not kept."""
        return bundle.bundle_id in self._open

    def dropped(self, bundle: Bundle) -> None:
        """Take the news that a bundle ended without a result: whatever was to be checked of it comes later."""
        if bundle.bundle_id in self._due:
            self._call_off(self._due.pop(bundle.bundle_id))
        elif bundle.bundle_id in self._open:
            self._call_off(self._open.pop(bundle.bundle_id).shape)

    def judge(self, bundle: Bundle, outcome: TrialOutcome, rows: pa.Table | None) -> str:
        """Compare a check that ended with its member's rows in the bundle; returns what differs in one line, or ''."""
        if outcome.failure_kind in BLAMELESS:
            self.dropped(bundle)
            return ""
        check, spec = self._open.pop(bundle.bundle_id), bundle.specs[0]
        if outcome.state is TrialState.COMPLETE:
            says = _difference(_by_epoch(check.rows), _by_epoch(rows), self._exact)
        else:
            says = f"complete in the bundle, {outcome.state} ({outcome.failure_kind}) alone"
        self._checks.append(
            {
                "method": spec.method,
                "dataset": spec.dataset,
                "shape": check.shape,
                "trial_id": spec.trial_id,
                "bundle_id": check.bundle_id,
                "bundle_size": check.size,
                "equal": not says,
                "says": says,
            }
        )
        return sentence(self._checks[-1]) if says else ""

    def alone(self, spec: TrialSpec) -> bool:
        """Whether trials of this shape are trained alone, since a check of it found a difference."""
        differing = [check["shape"] for check in self._checks if not check["equal"]]
        return bool(differing) and self._shape(spec) in differing

    def apart(self, bundle: Bundle) -> list[Bundle]:
        """Return a bundle that has not begun, cut into its members if its shape is trained alone."""
        if not self.alone(bundle.specs[0]):
            return [bundle]
        members = range(len(bundle))
        return [Bundle((bundle.specs[m],), (bundle.attempt(m),), bundle.prunable) for m in members]

    def record(self) -> dict[str, Any]:
        """Return what the next command has to know (`equivalence` in study.json)."""
        since = dict(sorted(self._since.items()))
        for shape in (*self._due.values(), *(check.shape for check in self._open.values())):
            since.pop(shape, None)  # its check is under way
        return {"checks": self._checks, "trials_since": since}

    def _call_off(self, shape: str) -> None:
        self._begun -= 1
        self._since.pop(shape, None)

    def _shape(self, spec: TrialSpec) -> str:
        return digest(self._shape_of(spec))


def sentence(check: Mapping[str, Any]) -> str:
    """Return what a check that found a difference says to people."""
    return (
        f"Training together changed numbers of {check['method']} on {check['dataset']}: trial {check['trial_id'][:8]} "
        f"in a bundle of {check['bundle_size']} is not what it is alone ({check['says']}). Trials of this shape were "
        "trained alone from then on; those before are as the bundles gave them."
    )


def _by_epoch(rows: pa.Table | None) -> dict[int, dict[str, float]]:
    """Return epoch -> metrics and diagnostics that are numbers; NaN and null are the same."""
    found: dict[int, dict[str, float]] = {}
    for row in [] if rows is None else rows.to_pylist():
        values = found[int(row["epoch"])] = {}
        for name, value in row.items():
            if name.startswith(("metric.", "diagnostic.")) and value is not None and not math.isnan(value):
                values[name] = value
    return found


def _difference(
    together: Mapping[int, Mapping[str, float]], alone: Mapping[int, Mapping[str, float]], exact: bool
) -> str:
    """Return the first difference, or nothing."""
    if not exact:
        together, alone = _first_losses(together), _first_losses(alone)
    for epoch in sorted({*together, *alone}):
        ours, others = together.get(epoch, {}), alone.get(epoch, {})
        for name in sorted({*ours, *others}):
            one, other = ours.get(name, math.nan), others.get(name, math.nan)
            if one != other and (exact or not math.isclose(one, other, rel_tol=TOLERANCE)):
                return f"{name} after epoch {epoch}: {one!r} in the bundle, {other!r} alone"
    return ""


def _first_losses(rows: Mapping[int, Mapping[str, float]]) -> dict[int, dict[str, float]]:
    """Return the losses after the first epoch that there is."""
    if not rows:
        return {}
    first = min(rows)
    return {first: {name: value for name, value in rows[first].items() if name.endswith(".loss")}}
