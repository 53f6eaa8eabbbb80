"""Contracts keep what methods make once (pretexts) in a folder of the session, not in the user's."""

import pytest

from trainables.data import data_folder


@pytest.fixture(scope="session")
def made_here(tmp_path_factory):
    return tmp_path_factory.mktemp("made")


@pytest.fixture(autouse=True)
def own_data_folder(made_here, monkeypatch):
    monkeypatch.setenv(data_folder.VARIABLE, str(made_here))
