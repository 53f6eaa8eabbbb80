"""A function is trained like any method, epoch by epoch."""

from __future__ import annotations

import time

import numpy as np
import torch
from own_trials import outcome_of, rows_of, said, spec_of

from orchestrator.knobs import Float, knob
from orchestrator.own import trainable
from orchestrator.trial import FailureKind, Limits, TrialState


@trainable(knobs={"lr": knob(0.5, Float(0, 1))}, n_epochs=3)
def steady(config, seed, report):
    for epoch in range(config.n_epochs):
        report(epoch=epoch, loss=config.lr * epoch, draw=torch.rand(()))


@trainable(n_epochs=2)
def signs(config, seed, report, data):
    for _ in range(config.n_epochs):
        report(loss=0.0, assignments=(data.x[:, 0] > 0).astype(int))


@trainable
def labels_of_wrong_length(config, seed, report, data):
    report(assignments=np.zeros(3, dtype=int))


@trainable
def breaks(config, seed, report):
    report(loss=1.0)
    raise ZeroDivisionError("of nothing")


@trainable
def endless(config, seed, report):
    while True:
        time.sleep(0.01)


@trainable
def silent(config, seed, report):
    pass


def test_each_epoch_has_a_row():
    found = said(spec_of(steady, lr=0.25))
    assert rows_of(found, "loss") == {1: 0.0, 2: 0.25, 3: 0.5}
    assert outcome_of(found).state is TrialState.COMPLETE


def test_global_draws_are_the_seeds_own():
    draws = [list(rows_of(said(spec_of(steady, seed=seed)), "draw").values()) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 3


def test_assignments_are_scored_here():
    found = said(spec_of(signs, dataset="gaussians:subset=60"))
    assert list(rows_of(found, "nmi")) == [1, 2]
    assert "neighbour_mi" in outcome_of(found).metrics


def test_failures_have_their_kinds():
    broken = outcome_of(said(spec_of(breaks)))
    assert broken.state is TrialState.FAILED and "ZeroDivisionError: of nothing" in broken.error
    wrong = outcome_of(said(spec_of(labels_of_wrong_length, dataset="gaussians:subset=60")))
    assert wrong.failure_kind is FailureKind.DATA and "one whole number for each of 60 points" in wrong.error
    assert "it returned without a report" in outcome_of(said(spec_of(silent))).error


def test_one_that_never_reports_is_ended_by_a_limit():
    outcome = outcome_of(said(spec_of(endless), limits=Limits(seconds=1.0)))
    assert outcome.failure_kind is FailureKind.TIME_LIMIT
