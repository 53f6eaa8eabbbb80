"""What the command says of a cluster that does not let it in, or has no room: one line, soon, with what to do."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

CLUSTER = Path(__file__).parent / "nodes" / "somebodys.py"
RIGHT = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64}
STUDY = """
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
DESIGN = one_factor("kmeans", {})
STUDY = Study(question="?", design=DESIGN, datasets=("digits",), n_epochs=1, seeds=2, exploratory=True)
"""


class Joined:
    """A cluster, and the command that tries to join it."""

    def __init__(self, home, *said):
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, str(CLUSTER), *said], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = self.process.stdout.readline().split()[0]
        (home / "small.py").write_text(STUDY)

    def command(self, token, *more):
        """Return (the command's Popen, when it was started)."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment = {**clean, "HOME": str(self.home), "PYTHONPATH": str(CLUSTER.parents[4]), **token}
        line = [sys.executable, "-m", "orchestrator", "run", str(self.home / "small.py"), "--results",
                str(self.home / "results"), "--address", self.address, *more]  # fmt: skip
        return subprocess.Popen(
            line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.home
        )

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def cluster_of(tmp_path_factory):
    """A function: what a cluster says of itself -> a `Joined`, one for each."""
    made = {}

    def cluster(*said):
        if said not in made:
            made[said] = Joined(tmp_path_factory.mktemp("joined"), *said)
        return made[said]

    yield cluster
    for one in made.values():
        one.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "token", "line"),
    [
        (
            ("own", "own", "1"),
            {"RAY_AUTH_MODE": "disabled"},
            "wants a token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN",
        ),
        (("own", "own", "1"), {}, "wants a token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"),
        (("own", "own", "1"), {"RAY_AUTH_MODE": "token"}, "RAY_AUTH_MODE=token, and there is no token"),
        (("own", "own", "1"), {**RIGHT, "RAY_AUTH_TOKEN": "6" * 64}, "does not take this token; set RAY_AUTH_MODE"),
        (("2.59.1", "own", "1"), RIGHT, "runs Ray 2.59.1, this process Ray"),
        (("own", "3.12.4", "1"), RIGHT, "runs Python 3.12.4, this process Python"),
    ],
    ids=["no token", "nothing set", "mode only", "another token", "another Ray", "another Python"],
)
def test_a_cluster_that_does_not_let_the_command_in_is_one_line_within_ten_seconds(cluster_of, said, token, line):
    joined = cluster_of(*said)
    began = time.monotonic()
    out, error = (process := joined.command(token)).communicate(timeout=60)
    busy = os.getloadavg()[0] > 2 * os.cpu_count()  # others at work: importing alone may take so long
    assert time.monotonic() - began < (40 if busy else 10)
    assert process.returncode == 2
    assert line in error.replace("\n", " ")
    assert len(error.strip().splitlines()) == 1, error
    assert "Traceback" not in out + error


@pytest.mark.slow
def test_no_room_is_one_line_that_says_what_to_do_and_the_run_goes_on_when_there_is(cluster_of, tmp_path):
    joined = cluster_of("own", "own", "0")
    process = joined.command(RIGHT)
    time.sleep(40)
    process.terminate()
    out, error = process.communicate(timeout=60)
    print(out, error)
    assert "no node of the cluster has room for a bundle, which takes 1 CPU" in (out + error).replace("\n", " ")


@pytest.mark.slow
def test_with_the_right_token_the_study_runs(cluster_of):
    joined = cluster_of("own", "own", "1")
    out, error = (process := joined.command(RIGHT)).communicate(timeout=200)
    assert process.returncode == 0, error
    assert "Traceback" not in out + error
