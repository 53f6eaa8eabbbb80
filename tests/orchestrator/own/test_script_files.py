"""The files of a command line are found by its words."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError
from orchestrator.own.script_files import sources_of


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pack").mkdir()
    for name in ("run.sh", "data.npy", "pack/__init__.py", "pack/part.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "pack/__main__.py").write_text("from pack import part\n")
    return tmp_path


def test_scripts_are_code_and_other_files_are_data(folder):
    found = sources_of(["bash", "run.sh", "--points=data.npy", "absent.py"], folder, {}, (), "mine")
    assert (list(found.code), list(found.data)) == (["run.sh"], ["data.npy"])


def test_a_module_is_code_with_what_it_imports(folder):
    found = sources_of(["python", "-m", "pack"], folder, {}, (), "mine")
    assert {"pack/__main__.py", "pack/part.py"} <= set(found.code)


def test_further_code_is_named_by_patterns(folder):
    assert list(sources_of(["true"], folder, {}, ("*.sh",), "mine").code) == ["run.sh"]
    with pytest.raises(RequestError, match=r"there is no file '\*.jl'"):
        sources_of(["true"], folder, {}, ("*.jl",), "mine")


def test_what_is_no_python_is_said(folder):
    (folder / "bad.py").write_text("def (")
    with pytest.raises(RequestError, match="SyntaxError"):
        sources_of(["python", "bad.py"], folder, {}, (), "mine")
