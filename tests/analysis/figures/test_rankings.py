from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.figures import drawing, rankings

DATASETS = ("one", "two", "three", "four")
METHODS = {"baseline": 0.6, "secu": 0.5, "kmeans": 0.4}


def study_of(datasets=DATASETS, methods=METHODS, lacking=()):
    arms, rows = [], []
    for place, dataset in enumerate(datasets):
        for name, mean in methods.items():
            arm = f"{name} @ {dataset}"
            role, method = ("baseline", "entropy") if name == "baseline" else ("rival", name)
            arms.append({"name": arm, "dataset": dataset, "role": role, "method": method})
            rows += [
                {"trial_id": f"{arm}{seed}", "arm": arm, "seed": seed, "phase": "confirm", "state": "complete",
                 "collapsed": False, "metric.nmi": mean + 0.01 * seed - 0.2 * place}
                for seed in range(3) if arm not in lacking
            ]  # fmt: skip
        arms.append({"name": f"level @ {dataset}", "dataset": dataset, "role": "level", "method": "entropy"})
    record = {"metric": "nmi", "alpha": 0.05, "arms": arms}
    return study_view.StudyView("s", Path("r"), record, pd.DataFrame(rows))


def test_methods_are_ranked_over_datasets_and_levels_are_not_methods():
    (section,) = rankings.sections(study_of())
    table = rankings.method_means(study_of())
    assert list(table.columns) == ["entropy", "kmeans", "secu"] and len(table) == 4
    p = stats.friedmanchisquare(*table.to_numpy().T).pvalue
    assert f"the 3 methods differ in their ranks (Friedman, p = {p:.3f}" in section.sentence
    # k = 3, N = 4: q = 2.343, sqrt(3 * 4 / 24) = 0.707
    assert "critical difference of 1.66" in section.sentence and "entropy and secu; secu and kmeans" in section.sentence
    assert section.table.index("entropy") < section.table.index("secu") < section.table.index("kmeans")


def test_the_diagram_is_drawn(tmp_path):
    (section,) = rankings.sections(study_of())
    assert drawing.save(section.drawings, tmp_path)[0].read_text().count("<path") > 8


@pytest.mark.parametrize("study", [study_of(("one",)), study_of(methods={"baseline": 0.6, "kmeans": 0.4})])
def test_two_methods_or_one_dataset_are_no_ranking(study):
    assert rankings.sections(study) == []


def test_a_dataset_on_which_a_method_has_nothing_does_not_count():
    assert len(rankings.method_means(study_of(lacking=("kmeans @ two",)))) == 3
