"""A paper's tables as it prints them, with what the ledger's arms have beside: reproduced or not, or not run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias

from analysis.data.study_view import StudyView
from analysis.figures.section import Section
from analysis.number_format import name, number, signed, span, unit
from analysis.published import Published, numbers
from analysis.tables.formats import as_html
from analysis.verdicts.reproduction import Comparison, comparisons

__all__ = ["paper_sections"]

NOT_RUN = "not run at this tier"

Beside: TypeAlias = dict[int, list[tuple[StudyView, Comparison]]]
"""Identity of a published number -> what stands beside it: equal numbers of two lines are two numbers."""


def paper_sections(paper: str, studies: Sequence[StudyView]) -> list[Section]:
    """Return one section per published table of a paper, in the paper's order.

    Args:
        paper: arXiv number.
        studies: whose arms may stand beside the numbers (`analysis.verdicts.reproduction` says when they do).
    """
    beside: Beside = {}
    for study in studies:
        for comparison in comparisons(study):
            beside.setdefault(id(comparison.published), []).append((study, comparison))
    own = [published for published in numbers() if published.paper == paper]
    tables = groupby(own, key=lambda published: published.table)
    return [_section(list(lines), beside) for _, lines in tables]


def _section(lines: Sequence[Published], beside: Beside) -> Section:
    first = lines[0]
    body = []
    n_run = 0
    for published in lines:
        found = beside.get(id(published), [])
        n_run += bool(found)
        lead = [published.method, _setting(published), published.dataset, name(published.metric), _value(published)]
        if not found:
            body.append([*lead, NOT_RUN, "", ""])
        for study, one in found:
            here = f"{one.arm} of {study.name}, {one.n} seeds"
            judged = one.judged
            reach = f" [{span(judged.low, judged.high, one.published.metric)}]" if math.isfinite(judged.low) else ""
            difference = f"{signed(judged.difference, one.published.metric)}{unit(one.published.metric)}{reach}"
            body.append([*lead, here, difference, judged.word])
    sentence = (
        f"{first.source}: {first.title}. {n_run} of its {len(lines)} numbers have an arm of this ledger beside them; a "
        "verdict is given only under the paper's conditions; what differs, the study's report spells out."
    )
    head = ["method", "setting", "data", "metric", "published", "here", "here less published [95 %]", "verdict"]
    return Section(f"{first.paper}, {first.table}", sentence, as_html(head, body), ())


def _setting(published: Published) -> str:
    return ", ".join(f"{knob} {value}" for knob, value in published.setting.items()) or "–"


def _value(published: Published) -> str:
    spread = "" if math.isnan(published.std) else f" ± {number(published.std, published.metric)}"
    doubt = "" if published.certainty == "printed" else " (uncertain)"
    return f"{number(published.value, published.metric)}{spread}{doubt}"
