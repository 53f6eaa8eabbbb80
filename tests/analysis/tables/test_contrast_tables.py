from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.tables import contrast_tables
from analysis.verdicts import verdicts


@pytest.fixture(scope="module")
def found(synthetic):
    return verdicts.verdicts(study_view.load(synthetic.results, synthetic.name))


def test_the_company_of_a_verdict_is_scipys(synthetic, found):
    table = study_view.arm_seed_values(study_view.load(synthetic.results, synthetic.name), "nmi")
    gone = table.collapsed_by_seed()
    values = {arm: {s: v for s, v in row.items() if not gone[arm][s]} for arm, row in table.by_seed().items()}
    rows = contrast_tables.as_frame(found).set_index("contrast")
    for verdict in found:
        plus, minus = (next(a for a, w in verdict.contrast.weights.items() if w * sign > 0) for sign in (1, -1))
        pairs = np.array([values[plus][s] - values[minus][s] for s in values[plus] if s in values[minus]])
        row = rows.loc[verdict.contrast.name]
        assert row["descriptive.t_p"] == pytest.approx(stats.ttest_1samp(pairs, 0).pvalue)
        assert row["descriptive.wilcoxon_p"] == pytest.approx(stats.wilcoxon(pairs).pvalue)
        assert row["descriptive.iqm"] == pytest.approx(stats.trim_mean(pairs, 0.25))
        assert row["descriptive.probability_of_improvement"] == np.mean(pairs > 0)
        assert row["n_pairs"] == len(pairs)
        assert (row["better"], row["worse"]) == ((pairs > 0).sum(), (pairs < 0).sum())


def test_every_contrast_is_a_row_in_every_format_and_seeds_left_out_are_named(found, tmp_path):
    paths = contrast_tables.write(found, "nmi", "synthetic", tmp_path)
    table = pd.read_csv(paths["csv"], dtype={"seeds_left_out": str})
    assert list(table["contrast"]) == [one.contrast.name for one in found]
    assert table.set_index("contrast").loc["norm_weight=0 vs baseline", "seeds_left_out"] == "5"
    assert paths["html"].read_text().count("<tr>") == len(found) + 1
    assert r"\toprule" in paths["tex"].read_text() and "Descriptive" in paths["tex"].read_text()


def test_without_contrasts_there_is_no_file(tmp_path):
    assert contrast_tables.write([], "nmi", "s", tmp_path / "none") == {} and not (tmp_path / "none").exists()
