#!/usr/bin/env bash
# A job of somebody else's on the same node: Ray as its manual starts it. neighbour.sh FILE, which gets a line a beat
ray start --head --num-cpus=1 --disable-usage-stats >/dev/null 2>&1
exec python3 - "$1" <<'PYTHON'
import sys, time
import ray

ray.init(address="auto", logging_level="ERROR")


@ray.remote(num_cpus=0)
class Counter:
    def __init__(self):
        self.beats = 0

    def beat(self):
        self.beats += 1
        return self.beats


counter = Counter.remote()
while True:
    with open(sys.argv[1], "a") as file:
        file.write(f"{ray.get(counter.beat.remote())}\n")
    time.sleep(0.3)
PYTHON
