"""What a process may use: the least of machine, affinity, container and batch job."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from orchestrator.machine import limits

GIB = 2**30


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A function that writes the files of a system's control groups; nothing is remembered from other systems."""

    def write(groups: str, files: dict[str, str]) -> None:
        files = {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    monkeypatch.setattr(limits, "ROOT", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("memory", (), {"total": 512 * GIB}))
    asked = (limits.cores, limits.memory_bytes, limits.memory_bytes_of_a_core)
    for function in asked:
        function.cache_clear()
    yield write
    for function in asked:
        function.cache_clear()


def test_without_limits_it_is_what_the_affinity_leaves_and_a_cores_part_of_the_whole_machine(system):
    system("0::/user.slice\n", {"user.slice/memory.max": "max\n", "user.slice/cpu.max": "max 100000\n"})
    assert (limits.cores(), limits.memory_bytes()) == (64, 512 * GIB)
    assert limits.memory_bytes_of_a_core() == 4 * GIB, "the other 64 cores are another's, with their memory"


def test_a_container_has_its_own_group_as_the_root(system):
    system("0::/\n", {"memory.max": f"{16 * GIB}\n", "cpu.max": "400000 100000\n"})
    assert (limits.cores(), limits.memory_bytes()) == (4, 16 * GIB)
    assert limits.memory_bytes_of_a_core() == 4 * GIB


def test_a_container_of_version_1_may_show_its_name_outside(system):
    groups = "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n"
    files = {"memory/memory.limit_in_bytes": f"{8 * GIB}", "cpu,cpuacct/cpu.cfs_quota_us": "150000"}
    system(groups, {**files, "cpu,cpuacct/cpu.cfs_period_us": "100000"})
    assert (limits.cores(), limits.memory_bytes()) == (2, 8 * GIB)


def test_the_groups_above_count_too(system):
    system(
        "4:memory:/slurm/uid_0/job_1/step_0\n1:cpu:/slurm\n",
        {
            "memory/slurm/uid_0/job_1/step_0/memory.limit_in_bytes": "9223372036854771712",
            "memory/slurm/uid_0/job_1/memory.limit_in_bytes": f"{32 * GIB}",
            "cpu/slurm/cpu.cfs_quota_us": "-1",
            "cpu/slurm/cpu.cfs_period_us": "100000",
        },
    )
    assert (limits.cores(), limits.memory_bytes()) == (64, 32 * GIB)


@pytest.mark.parametrize("groups", ["", "nonsense\n", "0::/gone\n"])
def test_a_system_without_groups_has_no_limits(system, groups):
    system(groups, {})
    assert (limits.cores(), limits.memory_bytes()) == (64, 512 * GIB)


def test_this_machine_has_cores_and_memory():
    assert Path("/proc").is_dir()
    assert 1 <= limits.cores() <= (os.cpu_count() or 1)
    assert 2**27 < limits.memory_bytes_of_a_core() <= limits.memory_bytes() <= psutil.virtual_memory().total
