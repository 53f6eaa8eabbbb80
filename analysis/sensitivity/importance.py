"""How much each searched knob has to do with the best configurations: PED-ANOVA with intervals, fANOVA once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.study_view import StudyView
from analysis.sensitivity import estimators
from analysis.tables.search_table import search_table

__all__ = ["FEWEST", "Importance", "importances"]

FEWEST = 20
"""Configurations below which importances are not estimated: the best tenth would be one or two."""


@dataclass(frozen=True)
class Importance:
    """The knobs of one search, by the rule that it maximised."""

    place: int
    """Of the search in the record."""
    where: str
    """Method and dataset."""
    rule: str
    n_configurations: int
    shares: pd.DataFrame
    """Index knob, largest first; columns importance, low, high: PED-ANOVA's shares and their 95 % bootstrap ends."""
    variance: pd.Series[float]
    """fANOVA's shares of the variance over the whole space."""
    configurations: pd.DataFrame
    """`search_table` of those that have a value."""

    @property
    def clear(self) -> bool:
        """Whether the first knob's interval lies above the second's."""
        shares = self.shares
        return len(shares) == 1 or bool(shares["low"].iloc[0] > shares["high"].iloc[1])


def importances(study: StudyView, n_bootstrap: int = 200) -> list[Importance]:
    """Return the importances of every search of the study that has enough configurations."""
    searches = enumerate(study.record.get("searches", ()))
    found = (_importance(study, search, place, n_bootstrap) for place, search in searches)
    return [one for one in found if one is not None]


def _importance(study: StudyView, search: Mapping[str, Any], place: int, n_bootstrap: int) -> Importance | None:
    table = search_table(study, search)
    table = table[np.isfinite(table["objective"])]
    knobs = table[[knob for knob in search["space"] if table[knob].nunique() > 1]]
    if len(table) < FEWEST or knobs.empty:
        return None
    objective = table["objective"].to_numpy(dtype=np.float64)
    shares = estimators.ped_anova(knobs, objective, search["space"], n_bootstrap=n_bootstrap)
    variance = estimators.fanova(knobs, objective, search["space"])
    where = f"{search['method']} on {search['dataset']}"
    return Importance(place, where, str(search["rules"][0]), len(table), shares, variance, table)
