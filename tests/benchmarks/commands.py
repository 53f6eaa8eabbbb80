"""What a command costs the driver beside its own process: trials of a script that ends at once, through Ray.

    python tests/benchmarks/commands.py               # 100 and 1,000 trials
    python tests/benchmarks/commands.py --trials 20 120

Prints the CPU time of the driver's process for each number of trials, and from the difference that of one more trial,
start-up apart; target: <= 30 ms a trial. `--out FILE` keeps them (`analysis/benchmarks/commands.json`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

STUDY = '''"""How much does a command cost?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.own import command
from orchestrator.study import Study

MINE = command("python -I -S once.py", knobs={{"size": knob(1, Int(1, 9))}}, seed="--seed", metrics={{"nmi": {{}}}})
STUDY = Study(question="?", design=one_factor(MINE, {{"size": [2]}}), seeds={seeds}, exploratory=True, margin=0.02)
'''

SCRIPT = (
    "import sys\nprint('{\"nmi\": 0.' + sys.argv[-1][-6:] + '}')\n# add_argument('--size') add_argument('--seed')\n"
)

DRIVER = """
import json, sys, time
from orchestrator.cli import main
try:
    main(["run", "mine.py", "--results", "results", "--no-report"])
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps({"cpu": time.process_time()}), file=sys.stderr)
"""


MOST_MS = 30.0


def driver_seconds(n_trials):
    """Return the CPU seconds of a driver that runs so many trials."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "once.py").write_text(SCRIPT)
        (folder / "mine.py").write_text(STUDY.format(seeds=n_trials // 2))
        done = subprocess.run([sys.executable, "-c", DRIVER], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2_000:]
        return json.loads(done.stderr.splitlines()[-1])["cpu"]


def main():
    """Measure two sizes and print the cost of one more trial."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs=2, default=[100, 1_000])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    few, many = asked.trials
    seconds = {number: driver_seconds(number) for number in (few, many)}
    milliseconds = 1_000 * (seconds[many] - seconds[few]) / (many - few)
    found = json.dumps({"driver_seconds": seconds, "ms_a_trial": round(milliseconds, 2), "most": MOST_MS}, indent=1)
    print(found)
    if asked.out:
        asked.out.write_text(found + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
