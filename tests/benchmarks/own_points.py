"""Memory of workers that cluster a large file of a user's: 100,000 x 512 float32, k-means and entropy clustering.

    python tests/benchmarks/own_points.py [POINTS] [DIMENSIONS]

Prints the peak of each worker's proportional set size (PSS: what several processes share counts in parts) and private
memory (USS), beside the size of the array and what an idle worker holds. Linux only.
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


def main(n_points: int = 100_000, n_dimensions: int = 512) -> None:
    """Run the study through Ray and watch its workers."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        size = made(folder, n_points, n_dimensions)
        (folder / "memory.py").write_text(STUDY)
        command = ["orchestrate", "run", "memory.py", "--no-report", "--results", "results"]
        line = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
        run = subprocess.Popen(line, cwd=folder)
        peaks: dict[int, list[int]] = {}
        first: dict[int, tuple[int, int]] = {}
        while run.poll() is None:
            for pid, (pss, uss) in memory_of_workers(psutil.Process(run.pid)).items():
                first.setdefault(pid, (pss, uss))
                peak = peaks.setdefault(pid, [0, 0])
                peak[0], peak[1] = max(peak[0], pss), max(peak[1], uss)
            time.sleep(0.05)
        told = {
            "array_mb": size / 1e6,
            "exit": run.returncode,
            "workers": [
                {
                    "peak_pss_mb": pss / 1e6,
                    "peak_uss_mb": uss / 1e6,
                    "first_seen_pss_mb": first[pid][0] / 1e6,
                    "pss_over_array": pss / size,
                }
                for pid, (pss, uss) in peaks.items()
            ],
        }
        print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
