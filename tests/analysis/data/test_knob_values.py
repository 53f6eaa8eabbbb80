"""Lists and None in a record are texts for tables and figures; all else stays as it is."""

from analysis.data.knob_values import with_values_as_text

PLAIN = {
    "arms": [{"name": "a", "values": {"lr": 0.1, "loss": "x", "flag": True}}],
    "searches": [
        {
            "space": {"lr": {"kind": "float"}, "loss": {"kind": "choice", "options": ["x", "y"]}, "old": "one of a, b"},
            "history": [{"values": {"lr": 0.1, "loss": "x", "old": "a"}}],
            "chosen": None,
        }
    ],
    "metric": "nmi",
}


def test_a_record_of_numbers_and_texts_stays_as_it_is():
    assert with_values_as_text(PLAIN) == PLAIN
    assert with_values_as_text({"metric": "nmi"}) == {"metric": "nmi"}


def test_options_that_are_lists_or_none_become_texts_everywhere_in_their_search():
    search = {
        "space": {
            "widths": {"kind": "choice", "options": [[8], [64, 8]]},
            "decay": {"kind": "choice", "options": [None, 0.5]},
            "n": {"kind": "int"},
        },
        "history": [{"values": {"widths": [64, 8], "decay": 0.5, "n": 3}}, {"values": {"widths": [8], "decay": None}}],
        "chosen": {"widths": [8], "decay": None, "n": 3},
    }
    (found,) = with_values_as_text({"searches": [search]})["searches"]
    assert found["space"]["widths"]["options"] == ["[8]", "[64, 8]"]
    assert found["space"]["decay"]["options"] == ["None", "0.5"]
    assert [entry["values"] for entry in found["history"]] == [
        {"widths": "[64, 8]", "decay": "0.5", "n": 3},
        {"widths": "[8]", "decay": "None"},
    ]
    assert found["chosen"] == {"widths": "[8]", "decay": "None", "n": 3}


def test_values_of_arms_that_are_lists_or_none_are_texts():
    record = {"arms": [{"name": "a", "values": {"widths": [4], "decay": None, "n": 3}}]}
    assert with_values_as_text(record)["arms"] == [{"name": "a", "values": {"widths": "[4]", "decay": "None", "n": 3}}]
