"""A function or class is found again from its file."""

from __future__ import annotations

from pathlib import Path

import sklearn.cluster

from orchestrator.own.python_object import code_of_object, place_of, taken


class Outer:
    class Inner:
        """Found by a dotted name."""


def test_an_object_of_ones_own_is_found_from_its_file():
    place = place_of(Outer.Inner, "mine")
    code = code_of_object(place, "mine")
    assert place["name"] == "Outer.Inner" and list(code) == ["test_python_object.py"]
    found = taken({"name": place["name"], "label": "test_python_object.py"}, code)
    assert found.__doc__ == Outer.Inner.__doc__


def test_an_installed_one_is_found_by_its_module():
    place = place_of(sklearn.cluster.KMeans, "mine")
    assert "file" not in place and not code_of_object(place, "mine")
    assert taken(place, {}) is sklearn.cluster.KMeans


def test_an_edited_file_is_imported_anew(tmp_path):
    path = tmp_path / "mine_again.py"
    found = []
    for number in (1, 22):
        Path(path).write_text(f"def value():\n    return {number}\n")
        found.append(taken({"name": "value", "label": "m"}, {"m": str(path)})())
    assert found == [1, 22]
