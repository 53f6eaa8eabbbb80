"""The sentence on what a study was priced at and what it cost."""

from analysis.data.spending import spending_sentence

RUN = {
    "trials": 40,
    "wall_seconds": 100.0,
    "seconds": 180.0,
    "stopped": "",
    "priced": {"seconds": [200.0, 150.0, 260.0], "wall_seconds": [110.0, 80.0, 140.0]},
}


def test_priced_and_spent_stand_side_by_side():
    said = spending_sentence({"runs": [RUN]})
    assert "40 trials in 100 s (180 s of workers)" in said
    assert "the price was 110 s, 80 to 140 with 90 % (200 s of workers): inside the interval" in said
    assert "outside" in spending_sentence({"runs": [{**RUN, "wall_seconds": 141.0}]})


def test_without_a_price_or_a_finished_run_nothing_is_compared():
    assert spending_sentence({}) == spending_sentence({"runs": [{**RUN, "stopped": "a signal"}]}) == ""
    assert "no price" in spending_sentence({"runs": [{**RUN, "priced": None}]})
