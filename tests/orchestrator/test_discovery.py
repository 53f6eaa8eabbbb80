from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import discovery
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.selection import configuration_rules, metrics_of


def test_metrics_are_listed_without_torch_and_without_the_scientific_stack() -> None:
    heavy = "{'torch', 'scipy', 'sklearn', 'pandas', 'ray'}"
    code = (
        "import sys; from orchestrator import discovery\n"
        "assert {'acc', 'nmi', 'neighbour_mi'} <= set(discovery.metrics())\n"
        "discovery.scoring().chance_levels([0, 1, 0, 1], 2)\n"
        f"assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


DECLARED = 'from orchestrator.metric import Metric\nMETRIC = Metric(written="tightness", ranks=True)\n'


def test_a_command_knows_the_metrics_of_its_plugin_folders_and_may_choose_by_them(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "tightness.py").write_text(DECLARED)
    with pytest.raises(UnknownNameError):
        metrics_of("tightness")
    discovery.use_plugins([str(tmp_path)])
    try:
        assert metrics_of("tightness") == ("tightness",)
        assert "tightness" in configuration_rules()
        assert discovery.metric("tightness").written == "tightness"
    finally:
        discovery.use_plugins(())


def test_a_folder_that_is_refused_is_not_kept_for_what_a_session_does_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    discovery.use_plugins(["mine"])
    try:
        with pytest.raises(RequestError, match="'file/below' is no folder"):
            discovery.use_plugins(["file/below"])
        monkeypatch.chdir("/")
        assert discovery.metric("nmi").percent
    finally:
        discovery.use_plugins(())


def test_a_metric_file_without_a_declaration_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "empty.py").write_text("")
    with pytest.raises(RequestError, match="'empty' defines no METRIC"):
        discovery.metrics([str(tmp_path)])


@pytest.mark.parametrize(
    "text",
    [
        "METHOD = 3",
        "class METHOD: pass",
        "class METHOD: version, Config = 1, int",
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    n_epochs: int\nclass METHOD:\n"
        "    version, Config, precisions, max_members = 1, C, (), staticmethod(lambda c, d: 1)",
    ],
)
def test_what_is_no_method_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "own.py").write_text(text)
    with pytest.raises(RequestError, match=r"method file of 'own': METHOD = .* is no method; it is a class on"):
        discovery.method("own", [str(tmp_path)])


def test_a_file_that_changes_the_current_folder_leaves_the_command_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "own.py").write_text("import os\nos.chdir('/')\n")
    before = Path.cwd()
    discovery.find("metric", "own", [str(tmp_path)])
    assert Path.cwd() == before
