from __future__ import annotations

import pytest

from analysis.data import study_view
from analysis.tables import arm_tables
from analysis.verdicts import verdicts


@pytest.fixture(scope="module")
def parts(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    found = verdicts.verdicts(study)
    return study, found, arm_tables.arm_rows(study, found), study_view.epochs_of(study, study_view.confirm_rows(study))
