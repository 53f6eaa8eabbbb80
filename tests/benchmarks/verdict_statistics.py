"""How long the statistics of a study take: 1,000 trials as 50 arms x 20 seeds, and 50 arms x 1,000 seeds.

    python tests/benchmarks/verdict_statistics.py                 # median and range of 5 repetitions
    python tests/benchmarks/verdict_statistics.py --beside TREE   # verdicts beside those of another checkout, in turns

With `--beside` both are judged in fresh processes that take turns, after one warm-up each; CPU seconds and their ratio.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orchestrator.inference.decisions import decide
from orchestrator.inference.sequential import Looks
from orchestrator.inference.verdict_chain import judge

TURNS = 7
HERE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Pair:
    name: str
    weights: dict[str, float]


def seconds(action, repetitions: int = 5) -> str:
    """Median [lowest, highest] of wall and CPU seconds."""
    wall, cpu = [], []
    for _ in range(repetitions):
        start = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start[0])
        cpu.append(time.process_time() - start[1])
    return " ".join(
        f"{name} {np.median(times):.2f} s [{min(times):.2f}, {max(times):.2f}]"
        for name, times in (("wall", wall), ("cpu", cpu))
    )


def judging(n_seeds: int) -> Callable[[], object]:
    """Verdicts on 50 arms: two-part contrasts with intervals, equivalence and company."""
    random = np.random.default_rng(0)
    values = {f"arm {arm}": dict(enumerate(map(float, random.normal(arm / 50, 1, n_seeds)))) for arm in range(50)}
    collapsed = {arm: {seed: bool(random.random() < 0.05) for seed in row} for arm, row in values.items()}
    pairs = [Pair(arm, {arm: 1.0, "arm 0": -1.0}) for arm in values if arm != "arm 0"]
    try:
        from orchestrator.inference.arm_seed_values import ArmSeedValues
    except ImportError:  # a checkout from before both parts were judged
        return lambda: judge(values, collapsed, pairs, margin=0.3)
    return lambda: judge(ArmSeedValues.of_mappings(values, collapsed), pairs, margin=0.3)


def once(n_seeds: int) -> None:
    """Print the CPU seconds of the second of two judgements."""
    action = judging(n_seeds)
    action()
    start = time.process_time()
    action()
    print(json.dumps(time.process_time() - start))


def beside(tree: Path) -> None:
    for n_seeds in (20, 1000):
        found: dict[Path, list[float]] = {HERE: [], tree.resolve(): []}
        for _ in range(TURNS):
            for root, times in found.items():
                command = [sys.executable, __file__, "--once", str(n_seeds)]
                shown = subprocess.run(
                    command, env={**os.environ, "PYTHONPATH": str(root)}, cwd=root, capture_output=True, check=True
                )
                times.append(json.loads(shown.stdout))
        own, other = (np.array(times) for times in found.values())
        ratio = own / other
        print(
            f"judge, 50 arms x {n_seeds} seeds: here {np.median(own):.3f} s, there {np.median(other):.3f} s of CPU; "
            f"ratio {np.median(ratio):.2f} [{ratio.min():.2f}, {ratio.max():.2f}] over {TURNS} turns"
        )


def main() -> None:
    if len(sys.argv) > 2:
        once(int(sys.argv[2])) if sys.argv[1] == "--once" else beside(Path(sys.argv[2]))
        return
    random = np.random.default_rng(0)
    for n_seeds in (20, 1000):
        found = seconds(judging(n_seeds))
        print(f"judge, 50 arms x {n_seeds} seeds, with intervals, equivalence and company: {found}")
    weights = np.column_stack([-np.ones(3), np.eye(3)])
    null = random.normal(size=(5000, 4, 40))
    print(f"decide, 5,000 studies, 4 arms x 20 seeds: {seconds(lambda: decide(null[..., :20], weights))}")
    looks = Looks((10, 20, 40))
    print(
        f"decide, 500 studies, 4 arms, looks at 10, 20, 40: {seconds(lambda: decide(null[:500], weights, looks=looks))}"
    )


if __name__ == "__main__":
    main()
