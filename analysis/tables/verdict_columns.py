"""A verdict as the columns of a CSV: every number that decided, of both parts."""

from __future__ import annotations

from analysis.verdicts.verdicts import Verdict

__all__ = ["as_columns"]


def as_columns(verdict: Verdict) -> dict[str, object]:
    """Return both parts of a verdict as the columns of a CSV, in the ledger's units."""
    judgement = verdict.judgement
    living, working, overall = judgement.living, judgement.working, judgement.overall
    return {
        "verdict": verdict.word,
        "works": verdict.works,
        "difference": living.estimate,
        "difference_low": living.interval.low,
        "difference_high": living.interval.high,
        "n_pairs": judgement.n_pairs,
        "better": living.better,
        "worse": living.worse,
        "decided_by": "sign test" if living.by_signs else "sign flips",
        "most_seeds": living.most,
        "skewed": living.skewed,
        "p": living.p,
        "p_corrected": living.p_corrected,
        "not_working": working.not_working[0],
        "not_working_baseline": working.not_working[1],
        "n_seeds_of_both": working.n_seeds,
        "only_one_works": sum(working.alone),
        "only_one_works_needed": working.needed,
        "only_one_works_bound": working.bound,
        "works_p": working.p,
        "works_p_corrected": working.p_corrected,
        "difference_of_all": overall.estimate,
        "difference_of_all_low": overall.interval.low,
        "difference_of_all_high": overall.interval.high,
    }
