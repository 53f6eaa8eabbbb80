"""How long the statistics of a study take: 1,000 trials as 50 arms x 20 seeds, and 50 arms x 1,000 seeds.

python tests/benchmarks/verdict_statistics.py       # median and range of 5 repetitions
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.decisions import decide
from orchestrator.inference.sequential import Looks
from orchestrator.inference.verdict_chain import judge


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


def main() -> None:
    random = np.random.default_rng(0)
    for n_seeds in (20, 1000):
        values = {f"arm {arm}": dict(enumerate(map(float, random.normal(arm / 50, 1, n_seeds)))) for arm in range(50)}
        collapsed = {arm: {seed: bool(random.random() < 0.05) for seed in row} for arm, row in values.items()}
        pairs = [Pair(arm, {arm: 1.0, "arm 0": -1.0}) for arm in values if arm != "arm 0"]
        table = ArmSeedValues.of_mappings(values, collapsed)
        found = seconds(lambda t=table, p=pairs: judge(t, p, margin=0.3))
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
