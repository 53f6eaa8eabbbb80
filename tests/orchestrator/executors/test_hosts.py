"""Faults of hosts and networks, a few of those of `hosts/faults.py`: nothing is lost or doubled, all goes on soon."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parent / "hosts" / "faults.py"
FEW = {
    "shared": ["cut 30 s: worker's node", "cut 60 s: driver's node", "power of a node"],
    "alone": ["cut 30 s: what the driver says", "worker's node frozen 20 s", "a raylet killed"],
}


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/dev/net/tun"), reason="needs root and /dev/net/tun")
@pytest.mark.parametrize("folder", ["shared", "alone"])
def test_a_study_on_four_hosts_bears_what_happens_to_them(tmp_path, folder):
    command = [sys.executable, str(FAULTS), str(tmp_path / "rig"), "--name", f"t{folder[0]}", "--only", *FEW[folder]]
    environment = {**os.environ, "PYTHONPATH": str(FAULTS.parents[4])}
    more = ["--alone"] if folder == "alone" else []
    done = subprocess.run([*command, *more], env=environment, capture_output=True, text=True, timeout=1500, check=False)
    found = json.loads((tmp_path / "rig" / "faults.json").read_text())
    assert found["problems"] == []
    assert found["late"] == []
    assert len(found["faults"]) == len(FEW[folder])
    assert done.returncode == 0, done.stderr[-2000:]
