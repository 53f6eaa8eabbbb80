"""The rig that kills runs, importable by the tests here, and one zygote for all of them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from damage import epochs, outcome
from kill_rig.drivers import Zygote
from strangers import Stranger

from orchestrator.ledger import Ledger


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Forks inline drivers."""
    made = Zygote()
    yield made
    made.close()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A ledger with two batches: seed 0 (to be broken) and seed 1 (must stay usable)."""
    folder = tmp_path / "results"
    with Ledger(folder, writable=True) as ledger:
        ledger.append([outcome(0)], epochs(0))
        ledger.append([outcome(1)], epochs(1))
    return folder


@pytest.fixture
def stranger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Stranger:
    return Stranger(tmp_path, capsys)
