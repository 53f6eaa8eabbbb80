"""One Slurm for all tests here; without root or Slurm's packages they are skipped."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "faults")]

from slurm_rig.cluster import Slurm
from slurm_rig.jobs import Studies


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """Three nodes."""
    missing = [name for name in ("slurmctld", "slurmd", "munged", "srun", "ip", "nsenter") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}: bash tests/slurm/run.sh")
    cluster = Slurm(3)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def studies(slurm: Slurm) -> Iterator[Studies]:
    """The study that the tests submit; its results lie outside /tmp, of which every node has its own."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-results-", dir="/var/tmp"))
    yield Studies(slurm, folder)
    shutil.rmtree(folder)
