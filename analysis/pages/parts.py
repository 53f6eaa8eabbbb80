"""What a study's page, its terminal answer and the index are all made of, computed once from its view."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.data import study_view
from analysis.data.retracted import retracted_sentences
from analysis.data.spending import spending_sentence
from analysis.data.study_view import StudyView
from analysis.data.under_trained import under_trained_sentence
from analysis.figures.described import described_answer, described_forest
from analysis.figures.forest import Forest, Row, forest_of
from analysis.sensitivity import screening
from analysis.sensitivity.importance import Importance, importances
from analysis.sensitivity.screening import Screening
from analysis.tables import arm_tables
from analysis.tables.arm_tables import ArmRow
from analysis.verdicts import optimism, reproduction, verdicts
from analysis.verdicts.beats_chance import Footing, footings
from analysis.verdicts.detectable import Detectable, detectable
from analysis.verdicts.looks import looks_sentence
from analysis.verdicts.optimism import Gain
from analysis.verdicts.reproduction import Comparison
from analysis.verdicts.short_answer import short_answer
from analysis.verdicts.verdicts import Verdict
from orchestrator.bundles import equivalence

__all__ = ["Parts", "parts_of"]


@dataclass(frozen=True)
class Parts:
    """A study with everything that is said of it; what takes long is computed when it is asked for."""

    study: StudyView
    found: list[Verdict]
    rows: list[ArmRow]
    epochs: pd.DataFrame
    """Evaluations of confirm trials."""
    optimism: list[Gain]
    footings: list[Footing]
    detectable: Detectable | None
    published: list[Comparison]

    @cached_property
    def all_epochs(self) -> pd.DataFrame:
        """Evaluations of every complete trial, of searches too."""
        searched = self.study.rows[self.study.rows["phase"] == "search"]
        if searched.empty:
            return self.epochs
        return pd.concat([self.epochs, study_view.epochs_of(self.study, searched)], ignore_index=True)

    @cached_property
    def importances(self) -> list[Importance]:
        """Of the knobs of every search."""
        return importances(self.study)

    @cached_property
    def screenings(self) -> list[Screening]:
        """The indices of every screening design."""
        return screening.screenings(self.study)

    @cached_property
    def forest(self) -> Forest | None:
        """The first picture; None: there is nothing to show yet."""
        study = self.study
        if self.found:
            several = len(study.record["datasets"]) > 1
            return forest_of(self.found, study.metric, margin=study.record.get("margin"), several=several)
        return described_forest(study, self.rows, self.importances, self.screenings)

    @property
    def lead(self) -> Row | None:
        """The row of the most telling contrast: the largest difference that is shown, else the largest; None: none."""
        if not self.found or self.forest is None:
            return None
        known = [row for row in self.forest.rows if math.isfinite(row.centre)] or list(self.forest.rows)
        return max(known, key=lambda row: (row.decision == "effect", abs(row.centre)))

    @cached_property
    def short_answer(self) -> str:
        """What was found, in at most 15 words."""
        study = self.study
        if self.found:
            return short_answer(self.found, study.metric, study.record.get("margin"))
        return described_answer(study, self.rows, self.importances, self.screenings)

    @cached_property
    def remarks(self) -> list[str]:
        """Return what went otherwise than planned: changed by bundles, retracted, missing, looks, unfinished, cost."""
        study = self.study
        checks = study.record.get("equivalence", {}).get("checks", ())
        changed = [equivalence.sentence(check) for check in checks if not check["equal"]]
        others = (
            looks_sentence(study.record),
            under_trained_sentence(study, self.epochs),
            spending_sentence(study.record),
        )
        missing = verdicts.missing_sentences(study)
        return [*changed, *retracted_sentences(study), *missing, *(text for text in others if text)]


def parts_of(study: StudyView) -> Parts:
    """Judge a study and gather what is said of it."""
    found = verdicts.verdicts(study)
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    return Parts(
        study,
        found,
        arm_tables.arm_rows(study, found),
        epochs,
        optimism.optimism(study, epochs),
        footings(study),
        detectable(study, found),
        reproduction.comparisons(study),
    )
