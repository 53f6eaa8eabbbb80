"""Memory of workers that cluster a large file of a user's: 100,000 x 512 float32, k-means and entropy clustering.

    python tests/benchmarks/own_points.py [POINTS] [DIMENSIONS]

Prints the peak of each worker's proportional set size (PSS: what several processes share counts in parts) and private
memory (USS), the size of the array, and by how many arrays the largest is above a worker that has trained the same
study on 500 points. The array counts in that: its pages are the file's, shared by the workers and the driver. Linux
only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

STUDY = '''
"""How much memory do large data take?"""
from orchestrator.designs.fixed import fixed
from orchestrator.study import Study

STUDY = Study(
    question="How much memory?", datasets=("large.npy:clusters=10",), n_epochs=1, seeds=2, exploratory=True,
    metric="neighbour_mi", design=fixed("entropy"), rivals=(fixed("kmeans", n_init=1, max_iterations=3),),
)
'''


def made(folder: Path, n_points: int, n_dimensions: int) -> int:
    """Write points around ten centres; returns the bytes of the array."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(10, n_dimensions)).astype(np.float32)
    points = np.lib.format.open_memmap(folder / "large.npy", "w+", np.float32, (n_points, n_dimensions))
    for first in range(0, n_points, 10_000):
        rows = points[first : first + 10_000]
        rows[:] = centres[random.integers(10, size=len(rows))] + random.normal(size=rows.shape).astype(np.float32)
    points.flush()
    return int(points.nbytes)


def memory_of_workers(process: psutil.Process) -> dict[int, tuple[int, int]]:
    """Return process number -> (PSS, USS) of the trainables under a process."""
    found = {}
    for child in process.children(recursive=True):
        try:
            if any("ray::" in word for word in child.cmdline()):
                full = child.memory_full_info()
                found[child.pid] = (full.pss, full.uss)
        except psutil.Error:
            continue
    return found


def peaks_of(folder: Path) -> dict[int, tuple[int, int]]:
    """Run the study through Ray; return process number -> peak (PSS, USS) of its workers.

    Raises:
        SystemExit: the run failed.
    """
    (folder / "memory.py").write_text(STUDY)
    line = [
        str(Path(sys.executable).with_name("orchestrate")),
        "run",
        "memory.py",
        "--no-report",
        "--results",
        "results",
    ]
    run = subprocess.Popen(line, cwd=folder, stdout=subprocess.DEVNULL)
    peaks: dict[int, tuple[int, int]] = {}
    while run.poll() is None:
        for pid, (pss, uss) in memory_of_workers(psutil.Process(run.pid)).items():
            most = peaks.get(pid, (0, 0))
            peaks[pid] = (max(most[0], pss), max(most[1], uss))
        time.sleep(0.02)
    if run.returncode:
        raise SystemExit(f"the run ended with {run.returncode}")
    return peaks


def measured(n_points: int = 100_000, n_dimensions: int = 512) -> dict[str, object]:
    """Return what workers hold at most, beside what the same study takes of 500 points: Python, torch, the methods."""
    peaks, sizes = [], []
    for n in (500, n_points):
        with tempfile.TemporaryDirectory() as place:
            sizes.append(made(Path(place), n, n_dimensions))
            peaks.append(peaks_of(Path(place)))
    idle = max(pss for pss, _ in peaks[0].values())
    return {
        "array_mb": sizes[1] / 1e6,
        "worker_of_500_points_mb": idle / 1e6,
        "workers": [{"peak_pss_mb": pss / 1e6, "peak_uss_mb": uss / 1e6} for pss, uss in peaks[1].values()],
        "above_over_array": max(pss - idle for pss, _ in peaks[1].values()) / sizes[1],
    }


def main(n_points: int = 100_000, n_dimensions: int = 512) -> None:
    """Print it."""
    print(json.dumps(measured(n_points, n_dimensions), indent=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
