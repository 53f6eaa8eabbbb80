"""What `orchestrate new` writes: a study, a method, or a script with its study, commented, and running as they are."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import RequestError, shown

__all__ = ["KINDS", "written"]

STUDY = '''"""What is asked, and where it comes from: say it in sentences, a reader sees them above the answer.

    orchestrate plan {file}      what it would train, what that costs, what it can detect
    orchestrate run {file}       train what is missing, then the report; the same command goes on after a kill
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="Do more restarts of k-means help?",
    # One knob at a time against a baseline. `orchestrate studies` lists methods and knobs; other designs are
    # leave_one_out, grid, factorial, search, around (orchestrator/designs).
    design=one_factor("kmeans", {{"n_init": [3, 10]}}, base={{"n_init": 1}}),
    # Built-in data by name, or your own: "emb.npy:labels=y.npy", "emb.npy:clusters=10" (no labels).
    datasets=("digits:subset=300",),
    # Paired seeds: every arm is trained on each of them.
    seeds=12,
    n_epochs=1,
    # What verdicts are about, and which difference of it counts as none: say it before you look.
    metric="nmi",
    margin=0.02,
)
'''

METHOD = '''"""What the method does, in a sentence; who wrote it, and which equation is the loss.

    orchestrate run {stem}_study.py --plugin .
"""

from dataclasses import dataclass

import torch

from orchestrator.knobs import Float, Int, knob
from trainables.method import InTurn, MethodConfig
from trainables.randomness import Streams
from trainables.scoring import score


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    n_epochs: int = 10
    # A knob is its default and its domain; the string below says what it is.
    lr: float = knob(0.5, Float(0.01, 1.0, log=True))
    """How far a centre moves towards the mean of its points in a batch."""
    batch_size: int = knob(100, Int(10, 1000, log=True))
    """Points a batch."""


class One:  # one trial; InTurn trains several of them one after another
    def __init__(self, config, seed, data, device):
        # Streams are random numbers of this seed and purpose; data.inputs are points, labels are never given.
        self.config, self.data, self.order = config, data, Streams([seed], "{stem}.order")
        first = Streams([seed], "{stem}.centres").permutation(len(data))[0][: data.n_clusters]
        self.centres, self.loss = data.vectors[first].clone(), torch.tensor(0.0)

    def fit_epoch(self):
        for batch in self.order.permutation(len(self.data))[0].split(self.config.batch_size):
            points = self.data.vectors[batch]
            distances, nearest = torch.cdist(points, self.centres).min(1)
            for cluster in nearest.unique():
                towards = points[nearest == cluster].mean(0) - self.centres[cluster]
                self.centres[cluster] += self.config.lr * towards
            self.loss = distances.mean()

    def evaluate(self, last):
        # Every metric of partitions comes from score; what else you report goes beside it.
        nearest = torch.cdist(self.data.eval_vectors, self.centres).argmin(1)
        (row,) = score(nearest[None], self.data, self.data.n_clusters, last)
        return row | {{"metric.loss": float(self.loss)}}

    def state_dict(self):  # all that goes on after a kill
        return {{"centres": self.centres, "loss": self.loss, "order": self.order.state_dict()}}

    def load_state_dict(self, state):
        self.centres, self.loss = state["centres"], state["loss"]
        self.order.load_state_dict(state["order"])


class Method(InTurn):
    Config, member = Config, One


METHOD = Method
'''

OF_METHOD = '''"""Does the learning rate of {stem} matter?"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="Does the learning rate of {stem} matter?",
    design=one_factor("{stem}", {{"lr": [0.05]}}),
    datasets=("digits:subset=300",),
    seeds=12,
    n_epochs=3,
    margin=0.02,
)
'''

SCRIPT = '''"""A program of your own, which knows nothing of studies: options in, metrics out as JSON lines."""

import argparse
import json

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=100)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

points, classes = load_digits(return_X_y=True)
order = np.random.default_rng(options.seed)
model = MiniBatchKMeans(10, random_state=options.seed, n_init=1)
for epoch in range(options.epochs):
    for batch in np.array_split(order.permutation(len(points)), max(1, len(points) // options.batch_size)):
        model.partial_fit(points[batch])
    found = model.predict(points)
    # A line an evaluation: every number in it is a metric.
    print(json.dumps({{"epoch": epoch + 1, "nmi": normalized_mutual_info_score(classes, found)}}), flush=True)
'''

OF_SCRIPT = '''"""Does the batch size of {stem}.py matter?

    orchestrate run {stem}_study.py
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.own.command import command
from orchestrator.study import Study

# Knobs and the seed are passed as options of the script; {{n_epochs}} is the budget of a trial.
train = command(
    "python {stem}.py --epochs {{n_epochs}}",
    knobs={{"batch_size": knob(100, Int(10, 1000, log=True))}},
    n_epochs=3,
    metrics={{"nmi": {{"reads_labels": True}}}},
)

STUDY = Study(
    question="Does the batch size matter?",
    design=one_factor(train, {{"batch_size": [20]}}),
    seeds=8,
    margin=0.02,
)
'''

KINDS = ("study", "method", "script")


def written(kind: str, name: str, folder: Path) -> list[Path]:
    """Write the files of a kind and return them, the one to look at first first.

    Args:
        kind: one of `KINDS`.
        name: of the study, method or script: a Python name.
        folder: where it goes; nothing in it is overwritten.

    Raises:
        RequestError: a name that is none, or that the project has already, or a file that is there.
    """
    from orchestrator import discovery  # the options of every command name what this file writes

    stem = name.removesuffix(".py")
    if not stem.isidentifier():
        raise RequestError(f"name {shown(name)} is not allowed; it is a Python name such as my_{kind}")
    of = "study" if kind == "study" else "method"
    if stem in discovery.names(of):
        raise RequestError(
            f"name {shown(name)} is not allowed: the project has a {of} of this name; choose another one"
        )
    files = {
        "study": {f"{stem}.py": STUDY},
        "method": {f"methods/{stem}.py": METHOD, f"{stem}_study.py": OF_METHOD},
        "script": {f"{stem}.py": SCRIPT, f"{stem}_study.py": OF_SCRIPT},
    }[kind]
    paths = {folder / file: text for file, text in files.items()}
    for path in paths:
        if path.exists():
            raise RequestError(f"{str(path)!r} is there already; choose another name")
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(stem=stem, file=f"{stem}.py"), encoding="utf-8")
    return list(paths)
