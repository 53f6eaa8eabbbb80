"""Bundles that wait and bundles under way: their order, halves of those that were lost, members trained again alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from orchestrator.bundles.equivalence import EquivalenceGuard
from orchestrator.bundles.grouping import bundles, halves
from orchestrator.bundles.size import BundleLimits
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.retry_policy import POLICIES
from orchestrator.row_table import RowTable
from orchestrator.run.known_results import KnownResults
from orchestrator.run.progress import Progress
from orchestrator.run.unfinished_bundles import revivable
from orchestrator.trial import Bundle, FailureKind, TrialSpec, ids

__all__ = ["BundleQueue"]


class BundleQueue:
    """Cuts trials into bundles and keeps them until they end.

    Args:
        ledger: whose attempts and checkpoints are looked at.
        catalogue: the methods' knobs.
        limits: how large a bundle may be.
        guard: which shapes train alone.
        results: what need not be trained.
        progress: counts the members that train.
    """

    def __init__(
        self,
        ledger: Ledger,
        catalogue: Catalogue,
        limits: BundleLimits,
        guard: EquivalenceGuard,
        results: KnownResults,
        progress: Progress,
    ) -> None:
        self._ledger, self._catalogue, self._limits, self._guard = ledger, catalogue, limits, guard
        self._results, self._progress = results, progress
        self._waiting: deque[Bundle] = deque()
        self._open: dict[str, Bundle] = {}
        self._rows: dict[str, RowTable] = {}
        self._losses: dict[str, int] = {}
        """bundle_id -> how often its process was lost."""
        self._living: dict[str, int] = {}
        """bundle_id -> members that train; counted anew for one bundle at a time: with a thousand, all took long."""

    def __len__(self) -> int:
        """Return how many bundles wait."""
        return len(self._waiting)

    @property
    def n_open(self) -> int:
        """How many bundles are under way."""
        return len(self._open)

    def add(self, wanted: Iterable[TrialSpec], prunable: Callable[[TrialSpec], bool]) -> None:
        """Queue what is missing: bundles that a killed run left in the middle as they were, the rest in plan order.

        Args:
            wanted: trials that a phase asks for, known ones included.
            prunable: whether a trial may be stopped early.
        """
        under_way: set[str] = set()
        for bundle in (*self._waiting, *self._open.values()):
            under_way.update(bundle.trial_ids)
        new: dict[bool, dict[str, TrialSpec]] = {False: {}, True: {}}
        for spec in wanted:
            if spec.trial_id not in under_way:
                new[prunable(spec)][spec.trial_id] = spec
        for stops_early, specs in new.items():
            for members in self._cut(specs, stops_early):
                self._waiting += self._allowed(Bundle(members, self._attempts(members), stops_early))
        by_class = sorted(self._waiting, key=self._limits.share, reverse=True)  # of resources; the sort is stable
        self._waiting = deque(by_class)

    def take(self) -> Bundle | None:
        """Return the next bundle, which is under way from now on; None: none waits."""
        if not self._waiting:
            return None
        bundle = self._waiting.popleft()
        if not self._guard.is_check(bundle):
            self._guard.handed_out(bundle)
        self._open[bundle.bundle_id] = bundle
        self._rows[bundle.bundle_id] = RowTable()
        self.count(bundle)
        return bundle

    def rows(self, bundle: Bundle) -> RowTable:
        """Return the evaluations of a bundle under way."""
        return self._rows[bundle.bundle_id]

    def close(self, bundle: Bundle) -> bool:
        """Take the end of a bundle, whichever it was; returns whether it was under way."""
        was_open = self._open.pop(bundle.bundle_id, None) is not None
        self._rows.pop(bundle.bundle_id, None)
        self.count(bundle)
        return was_open

    def count(self, bundle: Bundle) -> None:
        """Count the members of a bundle that train, after some have begun or ended."""
        living = len(self.missing(bundle)) if bundle.bundle_id in self._open else 0
        self._progress.count_running(living - self._living.pop(bundle.bundle_id, 0))
        if living:
            self._living[bundle.bundle_id] = living

    def first(self, bundle: Bundle) -> None:
        """Put a bundle before all others."""
        self._waiting.appendleft(bundle)

    def last(self, found: Sequence[Bundle]) -> None:
        """Put bundles behind all others."""
        self._waiting += found

    def plan_again(self, bundle: Bundle, kind: FailureKind) -> list[TrialSpec]:
        """Queue a bundle, or its halves, whose process was lost; returns the members that are given up instead."""
        policy = POLICIES[kind]
        count = self._losses.get(bundle.bundle_id, 0) + 1
        remaining = self.missing(bundle)
        if count >= policy.attempts or not remaining:
            return remaining
        parts = halves(bundle) if policy.halve or count > 1 else [bundle]  # two losses: one member may be to blame
        left = self._with_missing(parts)
        for part in left:
            self._losses[part.bundle_id] = count
        self._waiting.extendleft(reversed(left))
        return []

    def split_unequal(self) -> None:
        """Cut what waits into single members where a check found that training together changed numbers."""
        waiting, self._waiting = self._waiting, deque()
        for bundle in waiting:
            self._waiting += self._allowed(bundle)

    def recorded(self, bundle: Bundle) -> tuple[int, ...]:
        """Return the places of the members whose attempt the ledger has."""
        return tuple(member for member in range(len(bundle)) if self.is_recorded(bundle, member))

    def missing(self, bundle: Bundle) -> list[TrialSpec]:
        """Return the members whose attempt the ledger does not have."""
        return [spec for member, spec in enumerate(bundle.specs) if not self.is_recorded(bundle, member)]

    def is_recorded(self, bundle: Bundle, member: int) -> bool:
        """Return whether the ledger has this attempt: the member ended, or is tried again in a bundle of its own."""
        return bundle.attempt(member) < self._ledger.next_attempt(bundle.specs[member].trial_id)

    def _cut(self, wanted: dict[str, TrialSpec], prunable: bool) -> list[tuple[TrialSpec, ...]]:
        """Return the members of each bundle: those to go on with first, then what is missing besides."""
        missing = [trial_id for trial_id in wanted if self._results.get(trial_id) is None]
        revived = revivable(self._ledger, wanted, missing)
        whole = set(chain.from_iterable(map(ids, revived)))
        rest = [wanted[trial_id] for trial_id in missing if trial_id not in whole]
        spaces = self._catalogue.spaces(dict.fromkeys(spec.method for spec in rest))
        cut = bundles(rest, spaces, self._limits, prunable=prunable)
        return [*revived, *(bundle.specs for bundle in self._limits.fitting(cut))]

    def _attempts(self, members: Sequence[TrialSpec]) -> tuple[int, ...]:
        """Return the attempt of each member that is to come, or its last one if none is."""
        attempts = []
        for trial_id in ids(members):
            has_ended = self._results.get(trial_id) is not None
            attempts.append(self._ledger.next_attempt(trial_id) - has_ended)
        return tuple(attempts)

    def _allowed(self, bundle: Bundle) -> list[Bundle]:
        return self._with_missing(self._guard.apart(bundle))

    def _with_missing(self, parts: Iterable[Bundle]) -> list[Bundle]:
        return [part for part in parts if self.missing(part)]
