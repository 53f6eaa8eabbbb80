from __future__ import annotations

import math

from analysis.data import study_view
from analysis.tables.verdict_columns import as_columns
from analysis.verdicts import verdicts


def test_both_parts_of_a_verdict_are_its_columns(synthetic):
    for verdict in verdicts.verdicts(study_view.load(synthetic.results, synthetic.name)):
        columns, judgement = as_columns(verdict), verdict.judgement
        assert (columns["verdict"], columns["works"]) == (verdict.word, verdict.works)
        assert columns["difference"] == judgement.estimate and columns["n_pairs"] == judgement.n_pairs
        assert columns["better"] + columns["worse"] <= columns["n_pairs"]
        assert columns["only_one_works"] == sum(judgement.working.alone) <= columns["n_seeds_of_both"]
        assert columns["not_working"] - columns["not_working_baseline"] == (
            judgement.working.alone[0] - judgement.working.alone[1]
        )
        assert math.isfinite(columns["difference_of_all"])
