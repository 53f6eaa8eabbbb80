"""One Slurm for all tests here; without root or Slurm's packages they are skipped."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))
sys.path.insert(0, str(Path(__file__).parent))

from slurm_rig.cluster import Slurm
from slurm_rig.jobs import Studies


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """Three nodes; SLURM_ROOT and SLURM_PROCTRACK choose another release of Slurm (see run.sh) and of its habits."""
    path = f"{os.environ.get('SLURM_ROOT', '')}/usr/sbin:{os.environ['PATH']}"
    missing = [name for name in ("slurmctld", "slurmd", "munged", "ip", "nsenter") if not shutil.which(name, path=path)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}: bash tests/slurm/run.sh")
    cluster = Slurm(3, os.environ.get("SLURM_PROCTRACK", "cgroup"), root=os.environ.get("SLURM_ROOT", ""))
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def studies(slurm: Slurm) -> Iterator[Studies]:
    """The study that the tests submit; its results lie outside /tmp, of which every node has its own."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-results-", dir="/var/tmp"))
    yield Studies(slurm, folder)
    shutil.rmtree(folder)
