"""The deployment files: well-formed, and every command in them exists with the options they use."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import orchestrator
from orchestrator.cli.commands import app

FOLDER = Path(orchestrator.__file__).parent / "deploy"


def test_the_slurm_script_is_a_shell_script_with_a_signal_before_the_limit():
    subprocess.run(["bash", "-n", str(FOLDER / "slurm.sh")], check=True)
    assert re.search(r"^#SBATCH --signal=B:TERM@\d+$", (FOLDER / "slurm.sh").read_text(), re.MULTILINE)


def test_the_slurm_script_hands_over_study_address_results_and_a_time_budget(tmp_path):
    said = tmp_path / "said"
    for name, body in {"scontrol": "echo node1; echo node2", "srun": f'echo "$@" > {said}'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_JOB_END_TIME": "4000000000",
    }
    command = ["bash", str(FOLDER / "slurm.sh"), "quickstart", "/shared/results", "--tier", "paper"]
    subprocess.run(command, env=environment, check=True, timeout=20)
    ray, _, run = said.read_text().strip().partition(" -- ")
    assert ray == "--kill-on-bad-exit=0 ray symmetric-run --address node1:6379 --min-nodes 2"
    assert re.fullmatch(
        r"orchestrate run quickstart --address node1:6379 --results /shared/results --time-budget \d+ --tier paper", run
    )


def test_the_slurm_script_without_a_study_says_what_is_missing():
    done = subprocess.run(["bash", str(FOLDER / "slurm.sh")], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode != 0
    assert "name or path of a study" in done.stderr


def test_the_rayjob_has_a_head_without_bundles_and_workers_with_gpus_and_the_shared_results():
    job = yaml.safe_load((FOLDER / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (workers,) = cluster["workerGroupSpecs"]
    for group in (cluster["headGroupSpec"], workers):
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"] for volume in pod["volumes"]]
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize("name", ["README.md", "slurm.sh", "rayjob.yaml"])
def test_every_option_of_the_commands_in_the_files_exists(name):
    for line in re.findall(r"orchestrate (?:run|doctor) [^`\n]*", (FOLDER / name).read_text()):
        command = line.split()[1]
        known = app.help_of(command)
        for option in re.findall(r"(?<!\S)--[a-z-]+", line):
            assert option in known, (line, option)
