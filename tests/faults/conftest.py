"""The rig that kills runs, importable by the tests here, and one zygote for all of them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kill_rig.drivers import Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Forks inline drivers."""
    made = Zygote()
    yield made
    made.close()
