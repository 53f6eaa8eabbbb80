"""What a method's code is made of: every file that no installed package brings, and what of it cannot be seen."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from orchestrator.code_files import code_of, is_installed, package_versions
from orchestrator.provenance import file_code_digest


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder of a user's own packages on the path; returns what writes a file there."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def writes(place: str, text: str = "") -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return writes


def test_helpers_packages_and_what_they_import_in_turn_are_code(lab):
    lab("mylab_a/__init__.py")
    lab("mylab_a/heads.py", "from .parts import SIZE\nfrom mylab_b import deep")
    lab("mylab_a/parts.py", "SIZE = 3")
    lab("mylab_a/unused.py", "raise RuntimeError")
    lab("mylab_b/__init__.py", "from . import deep")
    lab("mylab_b/deep.py", "import mylab_spaces.inner")
    lab("mylab_spaces/inner.py", "import json, numpy, torch.nn")
    lab("mylab_single.py", "import mylab_single")
    own = lab(
        "methods/mine.py", "import mylab_single\nfrom mylab_a.heads import SCALE\nfrom orchestrator.knobs import knob"
    )
    code = code_of(own, "_plugin_method_mine")
    assert set(code.files) == {
        "", "mylab_a", "mylab_a.heads", "mylab_a.parts", "mylab_b", "mylab_b.deep", "mylab_spaces.inner", "mylab_single"
    }  # fmt: skip
    assert code.packages == {"numpy", "torch"}
    assert code.unseen == ()


@pytest.mark.parametrize("edited", ["mylab_c/heads.py", "mylab_c/__init__.py", "mylab_beside.py"])
def test_an_edit_of_a_helper_is_another_code_and_its_place_is_not(lab, edited, tmp_path, monkeypatch):
    def written(folder):
        lab(f"{folder}/mylab_c/__init__.py")
        lab(f"{folder}/mylab_c/heads.py", "SCALE = 1")
        lab(f"{folder}/mylab_beside.py", "SHIFT = 1")
        return lab(f"{folder}/mine.py", "from mylab_c.heads import SCALE\nfrom mylab_beside import SHIFT")

    digests = []
    for folder in ("one", "two"):
        own = written(folder)
        monkeypatch.setattr(sys, "path", [*sys.path[:-1], str(tmp_path / folder)])
        digests.append(file_code_digest(own, "_plugin_method_mine"))
    assert digests[0] == digests[1]
    lab(f"two/{edited}", "SCALE = 2")
    assert file_code_digest(own, "_plugin_method_mine") != digests[0]


def test_what_cannot_be_followed_is_named(lab):
    lab("mylab_d/__init__.py")
    lab("mylab_d/fast.cpython-311-x86_64-linux-gnu.so", "no real library")
    own = lab(
        "mine.py",
        """
        import importlib
        from mylab_d import fast
        importlib.import_module("json")
        found = importlib.import_module("mylab_d." + "x")
        again = __import__(found)
        """,
    )
    code = code_of(own, "_plugin_method_mine")
    assert set(code.files) == {"", "mylab_d", "mylab_d.fast"}
    assert sorted(code.unseen) == [
        "mine.py, line 5, imports by a name that is made when it runs",
        "mine.py, line 6, imports by a name that is made when it runs",
        "mylab_d.fast is compiled: of what it links only its own file is seen",
    ]


def test_a_name_that_is_not_there_is_nobodys_code(lab):
    own = lab("mine.py", "try:\n    import mylab_nowhere.deep\nexcept ImportError:\n    pass\nfrom . import beside")
    assert set(code_of(own, "_plugin_method_mine").files) == {""}


def test_what_python_and_packages_bring_is_installed_and_this_project_is_not():
    import json

    import numpy

    import trainables

    assert is_installed(Path(json.__file__))
    assert is_installed(Path(numpy.__file__))
    assert is_installed(Path("/anywhere/site-packages/x/y.py"))
    assert not is_installed(Path(__file__))
    assert not is_installed(Path(trainables.__file__)) or "site-packages" in trainables.__file__


def test_packages_are_named_by_the_distributions_that_bring_them():
    found = package_versions({"numpy", "sklearn", "nowhere_at_all"})
    assert set(found) == {"numpy", "scikit-learn"}
    assert all(version[0].isdigit() for version in found.values())
