"""The data folder is chosen by one environment variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainables.data.data_folder import VARIABLE, data_folder


def test_the_variable_chooses_and_its_absence_means_a_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "~/images")
    assert data_folder() == Path.home() / "images"
    for unset in ("", None):
        monkeypatch.setenv(VARIABLE, unset) if unset is not None else monkeypatch.delenv(VARIABLE)
        assert data_folder() == Path.home() / ".cache" / "orchestrate" / "data"
