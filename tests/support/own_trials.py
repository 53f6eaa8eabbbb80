"""Trains one trial of a declared method in this process, as a worker does."""

from __future__ import annotations

from orchestrator import discovery
from orchestrator.executors.worker import reports
from orchestrator.knobs import canonical
from orchestrator.own.declared import OWN_DATA, declaration_of
from orchestrator.row_table import RowTable
from orchestrator.trial import Bundle, BundleTask, TrialSpec

__all__ = ["outcome_of", "rows_of", "said", "spec_of"]


def spec_of(method, seed=0, dataset=OWN_DATA, n_epochs=None, **knobs):
    """Return the spec of a trial."""
    own = declaration_of(method)
    return TrialSpec(
        method=own.named,
        method_version=own.version,
        config=canonical(own.knobs, knobs, own.name),
        dataset=dataset,
        dataset_digest=discovery.load_dataset(dataset, "whole").digest if own.takes_data else OWN_DATA,
        seed=seed,
        n_epochs=n_epochs or own.n_epochs,
        declaration=own.identity,
    )


def said(spec, stopping=lambda: False, **task):
    """Return all reports of a trial's training."""
    return list(reports(BundleTask(bundle=Bundle((spec,)), **task), None, stopping))


def outcome_of(found):
    """Return the one outcome among reports."""
    (outcome,) = [outcome for report in found for outcome in report.outcomes]
    return outcome


def rows_of(found, metric):
    """Return epoch -> metric."""
    table = RowTable()
    for report in found:
        table.add(report.rows)
    (curve,) = table.curves(metric).values()
    return curve
