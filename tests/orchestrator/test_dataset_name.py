"""Names of datasets: what is printed has no path, what is loaded goes along, to other processes and later commands."""

from __future__ import annotations

import pickle

import pytest

from orchestrator.dataset_name import DatasetName, know, loaded_as, named, recorded, with_option
from orchestrator.errors import RequestError


def test_a_file_is_called_by_its_stem_and_options_without_any_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = named("in/emb.npy:labels=/far/y.npy,clusters=10")
    assert name == "emb:clusters=10"
    assert loaded_as(name) == f"own_file:file={tmp_path}/in/emb.npy,labels=/far/y.npy,clusters=10"
    assert loaded_as("emb:clusters=10") == loaded_as(name)  # as a row of the ledger says it


def test_a_short_name_stands_for_any_reference():
    assert named("digits:imbalance=2,name=skewed") == "skewed"
    assert loaded_as("skewed") == "digits:imbalance=2"
    assert named("digits:imbalance=2") == "digits:imbalance=2"
    assert not isinstance(named("digits"), DatasetName)


def test_a_column_is_no_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert loaded_as(named("t.csv:labels=kind")) == f"own_file:file={tmp_path}/t.csv,labels=kind"


def test_a_name_brings_its_source_along_to_another_process():
    again = pickle.loads(pickle.dumps(named("/data/emb.npy:clusters=3")))
    assert isinstance(again, DatasetName)
    assert again.source == "own_file:file=/data/emb.npy,clusters=3"


def test_an_option_is_set_in_name_and_source():
    name = with_option(named("/data/emb.npy:clusters=3"), "clusters", "5")
    assert (name, loaded_as(name)) == ("emb:clusters=5", "own_file:file=/data/emb.npy,clusters=5")
    assert with_option("digits", "clusters", "5") == "digits:clusters=5"


def test_a_record_says_where_files_are_as_seen_from_its_folder(tmp_path):
    name = named(f"{tmp_path}/data/points_of_a_record.npy:labels={tmp_path}/data/y.npy,clusters=4")
    told = recorded((name, "digits"), tmp_path / "results")
    expected = "own_file:file=../data/points_of_a_record.npy,labels=../data/y.npy,clusters=4"
    assert told == {"points_of_a_record:clusters=4": expected}
    know({"elsewhere": expected}, tmp_path / "moved" / "results")
    assert loaded_as("elsewhere").startswith(f"own_file:file={tmp_path}/moved/data/points_of_a_record.npy,labels=")


@pytest.mark.parametrize("reference", ["a b.npy:clusters=3", "emb.npy:name=a/b", "digits:name="])
def test_a_name_that_cannot_be_printed_everywhere_is_refused(reference):
    with pytest.raises(RequestError, match="name=NAME"):
        named(reference)
