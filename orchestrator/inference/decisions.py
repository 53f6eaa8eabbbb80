"""The deciding part of the verdict chain on plain arrays, for one study or for thousands at once.

values -> differences paired by seed -> sign-flip p -> Holm -> effect; two one-sided tests -> Holm -> equivalent.
Names, intervals and descriptive company are added by `orchestrator.inference.verdict_chain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.inference.paired_tests import check_margin, holm
from orchestrator.inference.sequential import Looks, sequential_p
from orchestrator.inference.shared_draws import Sharing, by_unit
from orchestrator.inference.sign_flip import Alternative, sign_flip_p

__all__ = ["Decisions", "decide", "paired_differences"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SLACK = 1e-12
"""p * m == alpha must count as reached whatever the rounding of the product."""


@dataclass(frozen=True)
class Decisions:
    """What the tests say about every contrast of every study; all arrays (..., contrasts)."""

    differences: Floats
    """(..., contrasts, seeds) weighted sums over arms; nan where an arm is missing. Of seeds that are one unit: their
    mean in the place of the first."""
    n_pairs: NDArray[np.int64]
    estimate: Floats
    p: Floats
    """nan where fewer than two pairs are left (refused)."""
    p_corrected: Floats
    p_equivalence: Floats
    """nan without a margin."""
    p_equivalence_corrected: Floats
    effect: Bools
    equivalent: Bools
    refused: Bools


def paired_differences(values: ArrayLike, weights: ArrayLike) -> Floats:
    """One difference per contrast and seed; a seed that any arm of the contrast lacks is nan for that contrast.

    Args:
        values: (..., arms, seeds) metric; nan is missing or failed.
        weights: (contrasts, arms); an arm with weight 0 is not part of the contrast.

    Returns:
        (..., contrasts, seeds).
    """
    array, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    missing = ~np.isfinite(array)
    lacking = np.einsum("ca,...as->...cs", (w != 0).astype(np.float64), missing.astype(np.float64)) > 0
    sums = np.einsum("ca,...as->...cs", w, np.where(missing, 0.0, array))
    return np.where(lacking, np.nan, sums)


def decide(
    values: ArrayLike,
    weights: ArrayLike,
    *,
    alpha: float = 0.05,
    margin: float | None = None,
    looks: Looks | None = None,
    sharings: Sequence[Sharing] | None = None,
) -> Decisions:
    """The default chain: sign-flip test per contrast, Holm over the contrasts; TOST likewise if a margin is given.

    Claims of an effect and claims of equivalence are two families, each with its own error rate alpha.

    Args:
        values: (..., arms, seeds) metric; nan is missing or failed; leading axes are independent studies; seeds in
            the order in which they were added.
        weights: (contrasts, arms).
        alpha: family-wise error rate.
        margin: equivalence margin in units of the metric, stated before the run.
        looks: when one looked; the p-values are then sequentially valid and seeds after the last look are not used.
            None: one look at all seeds, as planned.
        sharings: for each contrast, which of the seeds that count are one unit of the test; None: each its own.
    """
    differences = paired_differences(values, weights)
    if looks is not None:
        schedule = looks.schedule(differences.shape[-1])
        differences = differences[..., : schedule[-1][0] if schedule else 0]
    grouped = [i for i, sharing in enumerate(sharings or ()) if sharing.grouped]
    for i in grouped:
        differences[..., i, :] = by_unit(differences[..., i, :], sharings[i].units)  # type: ignore[index]
    n_pairs = np.isfinite(differences).sum(axis=-1)
    refused = n_pairs < 2
    total = np.where(np.isfinite(differences), differences, 0.0).sum(axis=-1)
    estimate = np.where(refused, np.nan, total / np.maximum(n_pairs, 1))
    p = np.where(refused, np.nan, _p(differences, "two-sided", looks, alpha, grouped))
    same = np.full(p.shape, np.nan)
    if margin is not None:
        check_margin(margin)
        above = _p(differences + margin, "greater", looks, alpha, grouped)
        below = _p(margin - differences, "greater", looks, alpha, grouped)
        same = np.where(refused, np.nan, np.maximum(above, below))
    p_corrected, same_corrected = holm(p), holm(same)
    return Decisions(
        differences=differences,
        n_pairs=n_pairs,
        estimate=estimate,
        p=p,
        p_corrected=p_corrected,
        p_equivalence=same,
        p_equivalence_corrected=same_corrected,
        effect=_at_most(p_corrected, alpha),
        equivalent=_at_most(same_corrected, alpha),
        refused=refused,
    )


def _p(
    differences: Floats, alternative: Alternative, looks: Looks | None, alpha: float, grouped: Sequence[int]
) -> Floats:
    """Return p-values; of grouped contrasts, whose units grow between looks, one look's times the number of looks."""
    if looks is None or differences.shape[-1] == 0:
        return sign_flip_p(differences, alternative)
    p: Floats = sequential_p(differences, looks, alpha, alternative, family=differences.shape[-2])[..., -1]
    if grouped:
        once = sign_flip_p(differences[..., list(grouped), :], alternative)
        p[..., list(grouped)] = np.minimum(1.0, looks.number * once)
    return p


def _at_most(p: Floats, alpha: float) -> Bools:
    return np.where(np.isnan(p), 1.0, p) <= alpha * (1.0 + _SLACK)
