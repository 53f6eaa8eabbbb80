from __future__ import annotations

import pytest

from analysis.data import study_view
from analysis.verdicts import verdicts
from analysis.verdicts.claims import claims


@pytest.fixture(scope="module")
def found(synthetic):
    return verdicts.verdicts(study_view.load(synthetic.results, synthetic.name))


def test_every_test_that_was_made_is_counted_with_what_was_claimed(found):
    known = claims(found)
    living = [one for one in known if one.about.endswith("where both work")]
    assert [one.made for one in living] == [verdict.judgement.decision == "effect" for verdict in found]
    assert [one.p for one in living] == [verdict.judgement.p for verdict in found]
    assert sum(one.kind == "absence" for one in known) == len(found)


def test_where_no_seed_is_discordant_how_often_they_work_was_not_tested(found):
    about = {one.about for one in claims(found)}
    for verdict in found:
        told = f"{verdict.contrast.name}, how often they work" in about
        assert told == (sum(verdict.judgement.working.alone) > 0)
    assert "fairness_weight=0 vs baseline, how often they work" in about
