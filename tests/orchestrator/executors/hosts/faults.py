"""Partitions, deaths and bad weather under a study on four hosts, and what they cost; root only.

    python tests/orchestrator/executors/hosts/faults.py HOME [--alone] [--only NAME ...] [--long]

One study after another is trained on one cluster while fault after fault strikes; each study's ledger is then compared
with that of a quiet run. With `--alone` the hosts share no folder, and checkpoints travel. `--long` has partitions of
300 s too. Prints a line for each fault and writes HOME/faults.json. NFS is not among it where the kernel has no client;
delay and loss are made by the switch of `network.py`, so that no module of the kernel is needed.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import histories
from network import said
from rig import HERE, PLACES, Rig

SEEDS, EPOCHS, NAP_MS = 90, 30, 250
BUNDLES = 2 * SEEDS  # two arms
PATIENCE = 45.0
"""Seconds after the end of a partition by which every bundle goes on or is planned again."""

CLOCK = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def _cuts(seconds):
    """Return name -> (begin, seconds) of partitions that last so long."""
    kinds = {
        "worker's node": lambda n: n.cut(3),
        "what a worker's node says": lambda n: n.cut_one_way(3),
        "what the driver says to a node": lambda n: n.cut_one_way(1, 3),
        "what a node says to the driver": lambda n: n.cut_one_way(3, 1),
        "driver's node": lambda n: n.cut(1),
        "head's node": lambda n: n.cut(2),
        "what the head's node says": lambda n: n.cut_one_way(2),
        "two nodes together": lambda n: n.cut(3, 4),
    }
    return {f"cut {seconds} s: {name}": (begin, seconds) for name, begin in kinds.items()}


def faults(long):
    """Return name -> (what begins it, how long it lasts, what ends it besides the network's healing)."""
    found = {name: (*what, None) for seconds in (10, 30, 60) for name, what in _cuts(seconds).items()}
    if long:
        for name in ("worker's node", "what the driver says to a node", "driver's node", "head's node"):
            found[f"cut 300 s: {name}"] = (*_cuts(300)[f"cut 300 s: {name}"], None)
    host = lambda action, number: lambda n: getattr(n.hosts[number], action)()  # noqa: E731
    found |= {
        "200 ms, 5 % lost, 60 s": (lambda n: n.weather(0.2, 0.05), 60, None),
        "worker's node frozen 20 s": (host("freeze", 3), 20, host("thaw", 3)),
        "worker's node frozen 90 s": (host("freeze", 4), 90, host("thaw", 4)),
        "driver's node frozen 20 s": (host("freeze", 1), 20, host("thaw", 1)),
        "head's node frozen 20 s": (host("freeze", 2), 20, host("thaw", 2)),
        "a worker killed": (lambda n: n.hosts[3].signal(signal.SIGKILL, "ray::Trainable"), 1, None),
        "a raylet killed": (lambda n: n.hosts[4].signal(signal.SIGKILL, "raylet/raylet"), 1, None),
        "disk full 20 s": (_fill, 20, _empty),
        "power of a node, back after 20 s": (_power_off, 20, "boot"),
        "a node's clock an hour ahead": (_power_off, 5, "+3600"),
        "a node's clock an hour behind": (_power_off, 5, "-3600"),
        "a node with the right clock again": (_power_off, 5, "boot"),
    }
    return found


def _fill(network):
    network.hosts[4].spawn(["sh", "-c", "cat /dev/zero > /tmp/full"], stderr=subprocess.DEVNULL).wait()


def _empty(network):
    network.hosts[4].spawn(["rm", "/tmp/full"]).wait()


def _power_off(network):
    network.cut(4)
    network.hosts[4].kill()


class Trial:
    """Studies one after another on a rig, and the faults that strike them."""

    def __init__(self, rig):
        self.rig, self.count, self.driver, self.rows = rig, 0, None, []
        self.restarts = 0

    def begin(self):
        """Start the next study, in a results folder of its own."""
        self.count += 1
        self.rig.use(self.count)
        self.driver = self.rig.run(SEEDS, EPOCHS, NAP_MS)
        self._all_work(240.0)

    def keep_up(self):
        """Start the driver again if it ended early, as the sentence it ends with says."""
        if self.driver.poll() is not None and not self.ended:
            self.restarts += 1
            self.driver = self.rig.run(SEEDS, EPOCHS, NAP_MS)

    @property
    def ended(self):
        return any(event["event"] == "ended" and event["finished"] for event in self.rig.happened())

    def finish(self):
        """Wait for the end of the study under way."""
        deadline = time.monotonic() + 600
        while not self.ended and time.monotonic() < deadline:
            self.keep_up()
            time.sleep(1.0)
        self.driver.wait(60)

    def strike(self, name, begin, seconds, end):
        """Let one fault strike; note how long bundles stood still after it."""
        if self.driver is None or histories.left(self.rig.happened(), BUNDLES) < 24:
            if self.driver is not None:
                self.finish()
            self.begin()
        working = self._all_work(90.0)
        network, started = self.rig.network, time.time()
        restarts = self.restarts
        begin(network)
        time.sleep(seconds)
        network.heal()
        healed = time.time()
        if callable(end):
            end(network)
        elif end is not None:
            off = {"LD_PRELOAD": CLOCK, "FAKETIME": f"{end}s", "DONT_FAKE_MONOTONIC": "1"}
            self.rig.boot(4, {} if end == "boot" else off)
        still = self._still(healed, 150.0)
        again = self._works_again(healed, 200.0) if seconds >= 60 else 0.0
        lost = sum(event["event"] == "lost" and event["at"] > started for event in self.rig.happened())
        row = {"fault": name, "hosts_at_work": working, "stood_still": still, "host_works_after": again, "lost": lost}
        self.rows.append({**row, "driver_started_again": self.restarts - restarts})
        print(self.rows[-1], flush=True)

    def _all_work(self, most):
        """Wait until all hosts have trained something just now, or long enough; return how many have."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline:
            self.keep_up()
            hosts = histories.hosts_of([event for event in self.rig.happened() if event["at"] > time.time() - 5])
            if len(hosts) == len(self.rig.network.hosts):
                break
            time.sleep(0.5)
        return len(hosts)

    def _still(self, healed, most):
        """Return the seconds after a fault by which every bundle open then went on or was planned again."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline:
            self.keep_up()
            seconds = histories.moved_after(self.rig.happened(), healed)
            if seconds is not None:
                return round(seconds, 1)
            time.sleep(0.3)
        return float("inf")

    def _works_again(self, healed, most):
        """Return the seconds by which all hosts work again; 0: the study ended before."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline and not self.ended:
            self.keep_up()
            events = [event for event in self.rig.happened() if event["at"] > healed]
            if len(histories.hosts_of(events)) == len(self.rig.network.hosts):
                return round(time.time() - healed, 1)
            time.sleep(0.5)
        return 0.0 if self.ended else float("inf")


def quiet(home):
    """Train the study quietly, in one process; return its results folder."""
    results = home / "quiet"
    command = [sys.executable, HERE / "driver.py", "inline", results, home / "quiet.jsonl", SEEDS, EPOCHS, NAP_MS]
    environment = {**os.environ, **PLACES, "STEADY_AT_ONCE": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run([str(part) for part in command], env=environment, check=True, cwd="/")
    return results


def main():
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--alone", action="store_true", help="the hosts share no folder")
    parser.add_argument("--long", action="store_true", help="partitions of 300 s too")
    parser.add_argument("--name", default="fa", help="two letters for the namespaces")
    parser.add_argument("--only", nargs="*", default=[], help="faults whose name holds one of these")
    asked = parser.parse_args()
    shutil.rmtree(asked.home, ignore_errors=True)
    chosen = {
        name: what
        for name, what in faults(asked.long).items()
        if not asked.only or any(part in name for part in asked.only)
    }
    with Rig(asked.name, asked.home, share=not asked.alone, sizes={4: "1g"}) as rig:
        trial = Trial(rig)
        for name, what in chosen.items():
            trial.strike(name, *what)
        trial.finish()
        folders = rig.collect()
    expected = histories.rows_of(quiet(asked.home))
    problems = [line for folder, events in folders for line in histories.problems(folder, said(events), expected)]
    late = [row["fault"] for row in trial.rows if max(row["stood_still"] - PATIENCE, row["host_works_after"] - 1e6) > 0]
    result = {"shared_folder": not asked.alone, "faults": trial.rows, "problems": problems, "late": late,
              "studies": trial.count, "driver_started_again": trial.restarts}  # fmt: skip
    (asked.home / "faults.json").write_text(json.dumps(result, indent=1))
    print(json.dumps({**result, "faults": len(trial.rows)}), flush=True)
    return bool(problems or late)


if __name__ == "__main__":
    sys.exit(main())
