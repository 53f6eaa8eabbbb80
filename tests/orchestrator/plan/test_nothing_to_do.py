"""Nothing is left to do only as long as nothing changed that the plan follows from."""

import os

import pytest

from orchestrator.designs.one_factor import one_factor
from orchestrator.plan.nothing_to_do import plan_key
from orchestrator.study import Study


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATE_DATA", str(tmp_path))
    (tmp_path / "flowers/rose").mkdir(parents=True)
    (tmp_path / "flowers/rose/1.png").write_bytes(b"red")
    return tmp_path / "flowers"


def key(reference):
    return plan_key(Study(question="?", datasets=(reference,), design=one_factor("kmeans", {"n_init": [2]})), ())


@pytest.mark.parametrize("reference", ["image_folder:folder=flowers,side=8", "image_folder:side=8,folder={}"])
def test_a_changed_folder_of_images_is_another_plan(folder, reference):
    reference = reference.format(folder)
    before = key(reference)
    assert key(reference) == before
    (folder / "rose/1.png").write_bytes(b"blue")
    changed = key(reference)
    assert changed != before
    os.utime(folder / "rose/1.png", ns=(1, 1))
    touched = key(reference)
    assert touched != changed
    (folder / "rose/2.png").write_bytes(b"white")
    assert key(reference) not in (before, changed, touched)


def test_folders_that_no_dataset_names_are_not_looked_at(folder):
    before = key("digits")
    (folder / "rose/2.png").write_bytes(b"white")
    assert key("digits") == before
