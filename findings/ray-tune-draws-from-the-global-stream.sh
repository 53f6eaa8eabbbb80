#!/usr/bin/env bash
# Ray Tune 2.60.0: a run of Tuner.fit moves Python's global random stream in the driver, by how much depends on timing.
#
# A script that begins with random.seed(0), tunes, and draws afterwards (a split, a subsample, an order of retraining)
# gets other numbers each time: Tune's event loop shuffles what it waits for with random.shuffle at every step, and how
# many steps there are depends on when trials happen to report. Neither NumPy's global stream nor a random.Random of
# one's own is touched. The same draws come from another thread if Tune runs in one: then they fall between the draws of
# the main thread. Seen with Python 3.11 on Linux; three runs of one script gave three numbers after equal seeds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "ray[tune]==2.60.0"
cat > "$folder/tuned.py" <<'PY'
import os
import random
import sys
import time

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AIR_NEW_OUTPUT="0")
import numpy as np
import ray
from ray import tune


def trainable(config):
    for step in range(5):
        time.sleep(0.02)
        tune.report({"loss": config["x"] + step})


ray.init(num_cpus=4, include_dashboard=False, object_store_memory=100 * 2**20, logging_level="ERROR")
random.seed(0)
np.random.seed(0)
untouched, own = np.random.get_state()[2], random.Random(0)
expected = own.random()
space = {"x": tune.grid_search(list(range(8)))}
run = tune.RunConfig(storage_path=sys.argv[1], verbose=0)
tune.Tuner(tune.with_resources(trainable, {"cpu": 1}), param_space=space, run_config=run).fit()
print(random.random(), expected, np.random.get_state()[2] == untouched)
PY
drawn=()
for run in 1 2 3; do
  last=$("$folder/venv/bin/python" "$folder/tuned.py" "$folder/results$run" 2>/dev/null | tail -1)
  echo "run $run: next draw, draw without tuning, NumPy's stream untouched: $last"
  drawn+=("$last")
done
python3 - "${drawn[@]}" <<'PY'
import sys

rows = [line.split() for line in sys.argv[1:]]
moved = all(row[0] != row[1] for row in rows)
print("moved in every run:", moved, "- different numbers after equal seeds:", len({row[0] for row in rows}))
sys.exit(not (moved and all(row[2] == "True" for row in rows)))
PY
