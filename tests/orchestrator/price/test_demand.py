"""What a plan still wants: trials that a search was told of count only while the plan would ask for them again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orchestrator.cli import main

FAULTS = Path(__file__).parents[2] / "faults"
"""A kept results folder lies there, with the plugin whose study it holds: a search, and an ablation around its choice.

Five of its 48 trials failed.
"""


def planned(capsys: pytest.CaptureFixture[str], plugin: Path, results: Path) -> dict[str, object]:
    with pytest.raises(SystemExit) as caught:
        main(["plan", "walks", "--plugin", str(plugin), "--results", str(results), "--json"])
    captured = capsys.readouterr()
    assert caught.value.code in (0, None), captured.err
    return dict(json.loads(captured.out))


@pytest.mark.parametrize(("version", "hits"), [(1, 43), (2, 0)])
def test_a_method_of_another_version_is_searched_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: int, hits: int
) -> None:
    results = Path(shutil.copytree(FAULTS / "results_of_5c7b3a1", tmp_path / "results"))
    plugin = Path(shutil.copytree(FAULTS / "plugin", tmp_path / "plugin"))
    method = plugin / "methods/walk.py"
    method.write_text(
        method.read_text().replace("    member = Walk\n", f"    member = Walk\n    version = {version}\n")
    )
    found = planned(capsys, plugin, results)
    assert (found["hits"], found["missing"]) == (hits, 48 - hits)
    decided = [arm["decided"] for arm in found["arms"]]  # type: ignore[union-attr]
    assert all(decided) is (version == 1)
