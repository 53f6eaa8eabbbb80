"""Machines on which something goes wrong while a study runs: the same command ends as if nothing had happened."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from kill_rig.drivers import Spawned, Zygote, argv, ended, kill_family
from kill_rig.histories import Histories, Tally
from kill_rig.mishaps import KINDS, Mishaps, can_mount

from orchestrator.ledger import Ledger

pytestmark = pytest.mark.slow

MOUNTS = ("full", "read_only", "temporary_full")


@pytest.fixture(scope="module")
def histories(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Histories:
    """The rig after its quiet run, without reports: they take longer than the training."""
    return Histories(tmp_path_factory.mktemp("mishaps"), zygote, Tally(seed=0), answers=False)


@pytest.mark.sample
@pytest.mark.parametrize("kind", KINDS)
def test_after_a_mishap_the_same_command_ends_like_a_quiet_run(histories: Histories, kind: str) -> None:
    if kind in MOUNTS and not can_mount():
        pytest.skip("only root mounts a file system that is full or read-only")
    Mishaps(histories, pause=3.0).happen(kind)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_plugin_that_loops_while_it_is_imported_is_left_by_a_signal_and_holds_no_lock(
    tmp_path: Path, number: int
) -> None:
    (tmp_path / "plugin" / "methods").mkdir(parents=True)
    (tmp_path / "plugin" / "methods" / "walk.py").write_text("while True:\n    pass\n")
    results, out = tmp_path / "results", tmp_path / "out.txt"
    arguments = [str(tmp_path / "plugin") if "plugin" in one else one for one in argv(results, "inline")]
    driver = Spawned([*arguments, "--plugin", argv(results, "inline")[5]], out, 0.0)
    try:
        time.sleep(8.0)  # until the plugin is being imported
        assert driver.poll() is None, out.read_text()
        driver.send(number)
        assert ended(driver, 15) == 130, out.read_text()
    finally:
        kill_family(driver)
    assert "Traceback" not in out.read_text()
    with Ledger(results, writable=True) as ledger:
        assert ledger.doctor.problems() == []
