"""Every contrast as a row: what was tested, and beside it, marked as such, what only describes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.number_format import number, p_text, signed
from analysis.tables.formats import as_html, as_latex, write_formats
from analysis.tables.verdict_columns import as_columns
from analysis.verdicts.verdicts import Verdict
from orchestrator.ledger.rows.spreadsheet import as_csv

__all__ = ["HEAD", "NOTE", "as_frame", "described", "write"]

HEAD = ("contrast", "difference", "IQM", "better in", "sd of pairs", "paired t", "Wilcoxon")
NOTE = (
    "Descriptive: nothing is decided by this table, and its p-values are not corrected. Difference: mean over seeds "
    "where both work; IQM: mean of the middle half of the pairs; better in: share of pairs with a positive difference, "
    "ties half; sd of pairs: what the power of a next study rests on."
)


def described(found: Sequence[Verdict], metric: str) -> list[list[str]]:
    """Return the cells of the descriptive table, one row a contrast, under `HEAD`."""
    return [_row(verdict, metric) for verdict in found]


def _row(verdict: Verdict, metric: str) -> list[str]:
    judgement, beside = verdict.judgement, verdict.judgement.descriptive
    better = beside.probability_of_improvement
    return [
        verdict.contrast.name,
        signed(judgement.estimate, metric),
        signed(beside.interquartile_mean, metric),
        "–" if math.isnan(better) else f"{100 * better:.0f} % of {judgement.n_pairs}",
        number(beside.standard_deviation, metric),
        p_text(beside.t_p),
        p_text(beside.wilcoxon_p),
    ]


def as_frame(found: Sequence[Verdict]) -> pd.DataFrame:
    """Return every number of every contrast in the ledger's units; columns `descriptive.*` decided nothing."""
    return pd.DataFrame(map(_flat, found))


def _flat(verdict: Verdict) -> dict[str, object]:
    judgement, beside = verdict.judgement, verdict.judgement.descriptive
    same = judgement.equivalence
    return {
        "contrast": verdict.contrast.name,
        "kind": verdict.contrast.kind,
        "factor": verdict.contrast.factor,
        "level": verdict.contrast.level,
        "dataset": verdict.dataset,
        **as_columns(verdict),
        "confidence": judgement.interval.confidence,
        "decided_at": judgement.decided_at,
        "seeds_left_out": " ".join(str(one.seed) for one in judgement.missing),
        "margin": math.nan if same is None else same.margin,
        "p_equivalence_corrected": math.nan if same is None else same.p_corrected,
        "descriptive.sd": beside.standard_deviation,
        "descriptive.iqm": beside.interquartile_mean,
        "descriptive.probability_of_improvement": beside.probability_of_improvement,
        "descriptive.t_p": beside.t_p,
        "descriptive.t_low": beside.t_interval.low,
        "descriptive.t_high": beside.t_interval.high,
        "descriptive.wilcoxon_p": beside.wilcoxon_p,
    }


def write(found: Sequence[Verdict], metric: str, name: str, folder: Path) -> dict[str, Path]:
    """Write contrasts.csv, .tex and .html into `folder`; return their paths by ending; nothing without contrasts."""
    if not found:
        return {}
    body = described(found, metric)
    texts = {
        "csv": as_csv(as_frame(found)),
        "tex": as_latex(HEAD, body, NOTE, f"{name}-contrasts"),
        "html": as_html(HEAD, body),
    }
    return write_formats(texts, "contrasts", folder)
