"""A driver in a process of its own, for tests that signal or kill it: trains until it is told to stop."""

import signal
import sys
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import ScriptedSource, scripted_bundles

from orchestrator.executors.ray_tune import RayTuneExecutor


def main():
    source = ScriptedSource(scripted_bundles(50, n_epochs=10_000, nap=0.05))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(source, "stopping", True))
    heard = set()

    def say(bundle, report):
        if len(heard) < 2:
            heard.add(bundle.bundle_id)
            if len(heard) == 2:  # both workers are at work
                family = [process.pid for process in psutil.Process().children(recursive=True)]
                print("training", *family, flush=True)

    source.on_report = say
    executor = RayTuneExecutor(max_concurrent=2)
    executor.start()
    executor.run(source)
    executor.close()
    left = psutil.Process().children(recursive=True)
    print("interrupted", len(source.how("interrupted")), "open", len(source.open), "left", len(left), flush=True)


if __name__ == "__main__":
    main()
