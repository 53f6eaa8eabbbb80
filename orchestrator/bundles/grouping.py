"""Which trials may share a bundle, how large it may be, and in which order: a rule that never looks at the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from orchestrator.bundles.program import bundle_key
from orchestrator.knobs import Knob
from orchestrator.trial import Bundle, TrialSpec

__all__ = ["bundles", "halves"]

SMALLEST = 8
"""Groups are not cut finer than this: most of what fusing gives is there at 4 to 16 members."""

PARTS = 4
"""A group is cut into about this many bundles, so that a few workers share it, however many there are."""


def bundles(
    specs: Iterable[TrialSpec],
    spaces: Mapping[str, Mapping[str, Knob]],
    limit: Callable[[TrialSpec], int],
    *,
    prunable: bool = False,
) -> list[Bundle]:
    """Group trials into bundles, in plan order.

    Arms that share a seed share their batches, so a bundle is cut between seeds, not within one, wherever it can be.

    Args:
        specs: distinct trials.
        spaces: method name -> its knobs.
        limit: the largest bundle for a shape (memory, measured throughput).
        prunable: whether members may be stopped early (searches).
    """
    groups: dict[str, list[TrialSpec]] = {}
    for spec in specs:
        groups.setdefault(bundle_key(spec, spaces[spec.method]), []).append(spec)
    made: list[Bundle] = []
    for group in groups.values():
        most = max(1, limit(group[0]))
        target = min(most, max(SMALLEST, -(-len(group) // PARTS)))
        made += [Bundle(tuple(cut), prunable=prunable) for cut in _cuts(_by_seed(group), target, most)]
    return made


def _by_seed(group: Sequence[TrialSpec]) -> list[list[TrialSpec]]:
    """Return the trials of each seed, in plan order within it."""
    runs: dict[tuple[str, int], list[TrialSpec]] = {}
    for spec in sorted(group, key=lambda spec: (spec.seed_block, spec.seed)):  # stable
        runs.setdefault((spec.seed_block, spec.seed), []).append(spec)
    return list(runs.values())


def _cuts(runs: Sequence[Sequence[TrialSpec]], target: int, most: int) -> list[list[TrialSpec]]:
    """Pack runs of one seed each: whole ones up to `target` members, a longer one alone, in parts of `most`."""
    cuts: list[list[TrialSpec]] = []
    current: list[TrialSpec] = []
    for run in runs:
        if current and len(current) + len(run) > target:
            cuts.append(current)
            current = []
        if len(run) > most:
            cuts += [list(run[start : start + most]) for start in range(0, len(run), most)]
        else:
            current = [*current, *run]
    return [*cuts, current] if current else cuts


def halves(bundle: Bundle) -> list[Bundle]:
    """Cut a bundle in two (what follows from out of memory); a bundle of one stays whole."""
    if len(bundle) == 1:
        return [bundle]
    middle = (len(bundle) + 1) // 2
    first = replace(bundle, specs=bundle.specs[:middle], attempts=bundle.attempts[:middle])
    return [first, replace(bundle, specs=bundle.specs[middle:], attempts=bundle.attempts[middle:])]
