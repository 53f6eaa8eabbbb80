"""What the doctor makes of the nodes' answers, and a real cluster of two raylets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.executors.ray_cluster.inspection import problems_of
from orchestrator.provenance import versions

FINE = {
    "node": "abcd",
    "address": "10.0.0.1",
    "host": "one",
    "gpus": 2.0,
    "versions": {"torch": "2.14", "ray": "2.60"},
    "torch_sees_gpus": 2,
    "shares_results": True,
}
OWN = {"torch": "2.14", "ray": "2.60"}


def test_nodes_that_are_fine_are_no_problem_whether_they_share_the_results_folder_or_not():
    assert problems_of([FINE, {**FINE, "shares_results": False}], OWN) == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"versions": {"torch": "2.13", "ray": "2.60"}}, "other versions: torch 2.13, here 2.14"),
        ({"versions": {"torch": "2.14"}}, "ray absent, here 2.60"),
        ({"torch_sees_gpus": 0}, "offers 2 GPUs, torch sees 0"),
        ({"problem": "no answer within 120 s"}, "no answer within 120 s"),
    ],
)
def test_each_problem_is_one_line_that_names_the_node(changed, says):
    (line,) = problems_of([{**FINE, **changed}], OWN)
    assert line.startswith("node abcd (one)")
    assert says in line


CLUSTER = """
import os, sys, json
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64)
from pathlib import Path
from ray.cluster_utils import Cluster
from orchestrator.inspection.doctor import doctor
node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node)
cluster.add_node(num_gpus=1, **node)
found = doctor(Path(sys.argv[1]), repair=False, address=cluster.address)
cluster.shutdown()
print(json.dumps(found, default=str))
"""


@pytest.mark.slow
def test_the_doctor_asks_every_node_of_a_cluster(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[4])}
    command = [sys.executable, "-c", CLUSTER, str(tmp_path / "results")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["nodes"]) == 2
    for node in found["nodes"]:
        assert node["versions"] == versions()
        assert node["shares_results"]
        assert node["datasets"]["digits"] == "present"
    assert ["torch sees 0" in line for line in found["problems"]] == [True]  # the GPU is a logical one
    assert not list((tmp_path / "results").glob(".doctor"))
