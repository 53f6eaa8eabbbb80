from __future__ import annotations

import pytest

from orchestrator.discovery import named_files
from orchestrator.errors import RequestError, UnknownNameError


@pytest.fixture
def plugin(tmp_path):
    for name, text in {"nmi.py": "OWN = True", "_hidden.py": "", "broken.py": "def f("}.items():
        (tmp_path / "metrics").mkdir(exist_ok=True)
        (tmp_path / "metrics" / name).write_text(text)
    return str(tmp_path)


def test_a_plugin_s_file_comes_before_a_built_in_of_its_name(plugin):
    assert named_files.find("metric", "nmi", [plugin]).OWN
    assert not hasattr(named_files.find("metric", "nmi"), "OWN")
    assert named_files.origin("metric", "nmi", [plugin]).parent.name == "metrics"
    assert named_files.module_name("metric", "nmi") == "trainables.metrics.nmi"
    assert named_files.module_name("metric", "nmi", [plugin]) == f"{named_files.PLUGIN}metric_nmi"
    assert named_files.is_built_in("metric", "nmi") and not named_files.is_built_in("metric", "nmi", [plugin])


def test_two_plugin_folders_with_a_file_of_one_name_are_refused_and_one_folder_twice_is_one(plugin, tmp_path):
    (tmp_path / "other" / "metrics").mkdir(parents=True)
    (tmp_path / "other" / "metrics" / "nmi.py").write_text("OWN = 2")
    assert named_files.find("metric", "nmi", [plugin, f"{plugin}/."]).OWN
    with pytest.raises(RequestError, match=r"metric 'nmi' is in two plugin folders: '.*' and '.*other/metrics/nmi.py'"):
        named_files.find("metric", "nmi", [plugin, str(tmp_path / "other")])


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "raise BaseException('x')", "raise GeneratorExit"])
def test_whatever_a_file_raises_is_said_in_one_line(tmp_path, text):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "own.py").write_text(text)
    with pytest.raises(RequestError, match="does not import"):
        named_files.find("metric", "own", [str(tmp_path)])


def test_names_are_those_of_files_but_for_private_ones(plugin):
    known = named_files.names("metric", [plugin])
    assert known == sorted(known) and {"nmi", "broken", "acc"} <= set(known) and "_hidden" not in known


def test_what_cannot_be_found_or_imported_is_one_line(plugin, tmp_path):
    with pytest.raises(UnknownNameError, match="never"):
        named_files.find("method", "never")
    with pytest.raises(UnknownNameError, match="never"):
        named_files.require("dataset", "never")
    with pytest.raises(RequestError, match="does not import: SyntaxError"):
        named_files.find("metric", "broken", [plugin])
    with pytest.raises(RequestError, match="is no folder; it holds methods/"):
        named_files.names("metric", [str(tmp_path / "nowhere")])
    with pytest.raises(RequestError, match="no study file at"):
        named_files.load_file(tmp_path / "absent.py", "study")


def test_every_kind_has_a_package_with_something_in_it():
    for kind in named_files.FOLDERS:
        assert named_files.names(kind), kind


def test_a_folder_or_file_that_is_named_like_a_dataset_is_told_apart_from_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "emb.pt").write_bytes(b"")
    find = named_files.find
    with pytest.raises(RequestError, match=r"'photos' is a folder here, no dataset; .*: photos/$"):
        find("dataset", "photos")
    with pytest.raises(RequestError, match=r"'emb.pt' is a file here; allowed for points: .npy, .npz"):
        find("dataset", "emb.pt")
    (tmp_path / "digits").mkdir()
    assert find("dataset", "digits").load().n_classes == 10  # a folder of the name of a dataset changes nothing
