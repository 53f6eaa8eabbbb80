"""Optuna's TPE for hundreds of configurations under way: the same draws, without doing the same work at each ask.

Between two tells nothing changes but that one more configuration is under way. Optuna sorts all trials, converts all
their values and looks through all their names at every ask; here that is done once after a tell, and the one new
configuration is added. A test holds that every draw is that of `TPESampler`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe import sampler as optunas
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import (
    _BatchedTruncLogNormDistributions,
    _BatchedTruncNormDistributions,
)
from optuna.trial import FrozenTrial, TrialState

__all__ = ["tpe_sampler"]

SAME_INSIDE = "5.0."
"""Releases of Optuna whose TPE is built as `_RoundTPE` takes it; with others Optuna's own is used, which is slower."""


def tpe_sampler(seed: int, n_startup_trials: int) -> TPESampler:
    """Return a TPE sampler."""
    kind = _RoundTPE if optuna.__version__.startswith(SAME_INSIDE) else TPESampler
    return kind(seed=seed, n_startup_trials=n_startup_trials)


_CONTINUOUS = (_BatchedTruncNormDistributions, _BatchedTruncLogNormDistributions)

_SUMMED_IN_ORDER = 7
"""Numpy adds up so many numbers from the first to the last; more in another order."""

Names = tuple[str, ...]
Rows = np.ndarray[Any, Any]


@dataclass
class _Known:
    """What holds of one set of knobs until the next tell."""

    below: Any
    """Optuna's estimator of the good trials."""
    above: Rows
    """Values of the others and of the trials under way, a row each."""
    n_under_way: int
    """How many of the trials under way, the earliest first, are among them or lack one of the knobs."""


class _Parzen(_ParzenEstimator):
    """Optuna's estimator; for knobs that are all continuous its density by the same sums, one knob after another."""

    def log_pdf(self, samples_dict: dict[str, Rows]) -> Rows:
        mixture = self._mixture_distribution
        knobs = [kernels for kernels in mixture.distributions if isinstance(kernels, _CONTINUOUS)]
        if len(knobs) < len(mixture.distributions) or len(knobs) > _SUMMED_IN_ORDER:
            return cast(Rows, super().log_pdf(samples_dict))
        at = self._transform(samples_dict)
        logs = _of_each(knobs, "is_log")
        at[:, logs] = np.log(at[:, logs])
        low, high = _of_each(knobs, "adapted_low"), _of_each(knobs, "adapted_high")
        if (at < low).any() or (at > high).any():  # by a rounding error
            return cast(Rows, super().log_pdf(samples_dict))
        mu, sigma = _of_each(knobs, "mu").T, _of_each(knobs, "sigma").T
        mass = _truncnorm._log_gauss_mass((low - mu) / sigma, (high - mu) / sigma)
        total = np.zeros((len(at), len(mu)))
        for values, center, width, area in zip(at.T, mu.T, sigma.T, mass.T, strict=True):
            density = np.subtract(values[:, np.newaxis], center)
            density /= width
            np.square(density, out=density)
            np.negative(density, out=density)
            density /= 2.0
            density -= _truncnorm._norm_pdf_logC
            density -= area
            density -= np.log(width)
            total += density
        total += np.log(mixture.weights)
        top = total.max(axis=1)
        total -= top[:, np.newaxis]
        return cast(Rows, np.log(np.exp(total, out=total).sum(axis=1)) + top)


def _of_each(knobs: Sequence[Any], what: str) -> Rows:
    """Return what Optuna's kernels of each knob hold, a row a knob."""
    return np.array([getattr(kernels, what) for kernels in knobs])


class _RoundTPE(TPESampler):
    """TPESampler that keeps what no ask changes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._parzen_estimator_cls = _Parzen  # where Optuna wants its estimator changed
        self._relative: dict[str, BaseDistribution] | None = None
        self._split: tuple[list[FrozenTrial], list[FrozenTrial], int] | None = None
        self._known: dict[Names, _Known] = {}
        self._under_way: dict[int, int] = {}
        """Number -> Optuna's id of the trials that were asked for and not told, in the order of asking."""
        self._values: dict[tuple[int, Names], tuple[float, ...] | None] = {}
        """What each of them was asked to try; None: it lacks one of the knobs."""

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._under_way[trial.number] = trial._trial_id
        super().before_trial(study, trial)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        del self._under_way[trial.number]
        for names in self._known:
            self._values.pop((trial.number, names), None)
        self._relative = self._split = None
        for known in self._known.values():
            known.n_under_way = -1
        super().after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if self._relative is None:
            self._relative = super().infer_relative_search_space(study, trial)
        return dict(self._relative)

    def _sample(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        below, above, last = self._finished(study)
        numbers = [number for number in self._under_way if number != trial.number]
        if numbers and numbers[0] < last:  # told out of order: values come in the order of numbers
            drawn: dict[str, Any] = super()._sample(study, trial, search_space)
            return drawn
        names = tuple(search_space)
        known = self._known.get(names)
        if known is None or known.n_under_way < 0:
            estimator = self._build_parzen_estimator(study, search_space, below, handle_below=True)
            values = self._get_internal_repr(above, search_space, study)
            known = self._known[names] = _Known(estimator, np.array([values[name] for name in names], float).T, 0)
        rows = []
        for number in numbers[known.n_under_way :]:
            row = self._asked(study, number, search_space)
            if row is not None:
                rows.append(row)
        if rows:
            known.above = np.concatenate([known.above, np.array(rows, float)])
        known.n_under_way = len(numbers)
        others = self._parzen_estimator_cls(
            dict(zip(names, known.above.T, strict=True)), search_space, self._parzen_estimator_parameters
        )
        samples = known.below.sample(self._rng.rng, self._n_ei_candidates)
        best = TPESampler._compare(samples, self._compute_acquisition_func(samples, known.below, others))
        return {name: domain.to_external_repr(best[name]) for name, domain in search_space.items()}

    def _finished(self, study: optuna.Study) -> tuple[list[FrozenTrial], list[FrozenTrial], int]:
        """Return the good trials, the others, and the highest number among both."""
        if self._split is None:
            states = (TrialState.COMPLETE, TrialState.PRUNED)
            trials = study._get_trials(deepcopy=False, states=states, use_cache=False)
            several = len(study.directions) > 1
            gamma = self._gamma or (optunas.default_gamma_multiobjective if several else optunas.default_gamma)
            below, above = optunas._split_trials(study, trials, gamma(len(trials)))
            self._split = (below, above, max((trial.number for trial in trials), default=-1))
        return self._split

    def _asked(
        self, study: optuna.Study, number: int, search_space: dict[str, BaseDistribution]
    ) -> tuple[float, ...] | None:
        """Return the values of a trial under way, which has been asked for in full."""
        key = (number, tuple(search_space))
        if key not in self._values:
            found = self._get_params(study._storage.get_trial(self._under_way[number]), study)
            self._values[key] = None
            if search_space.keys() <= found.keys():
                self._values[key] = tuple(domain.to_internal_repr(found[name]) for name, domain in search_space.items())
        return self._values[key]
