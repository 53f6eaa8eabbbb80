"""What a family's notebook shows of each study: answer, table, bars, curves, maps, costs, what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from analysis.across.collapse import collapse_section
from analysis.across.families import FAMILIES, family_of
from analysis.across.head_to_head import head_to_head_sections
from analysis.across.knob_importance import importance_section
from analysis.across.label_free import label_free_section
from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.escaping import markdown
from analysis.figures import boundaries, curves, finite_designs, knob_maps, pareto, sensitivity
from analysis.figures.drawing import Drawing
from analysis.figures.section import Section
from analysis.tables import arm_tables, formats
from analysis.tables.arm_tables import ArmRow
from analysis.verdicts import verdicts
from analysis.verdicts.beats_chance import footings
from analysis.verdicts.detectable import detectable
from analysis.verdicts.next_seeds import prospects
from analysis.verdicts.verdicts import Verdict

__all__ = ["across_sections", "of_family", "study_sections"]


def of_family(results: Path, name: str) -> list[StudyView]:
    """Return the studies of a family that the ledger holds, by name."""
    family = next(family for family in FAMILIES if family.name == name)
    return [study for study in study_view.load_all(results) if family_of(study.record) == family]


def study_sections(study: StudyView) -> Iterator[Section]:
    """Yield the parts of one study: the answer with its table and figures, sensitivity, what would change it."""
    found = verdicts.verdicts(study)
    rows = arm_tables.arm_rows(study, found)
    shown = arm_tables.shown(rows)
    head = arm_tables.columns(shown, study.metric, 1 - float(study.record["alpha"]))
    table = formats.as_html(head, arm_tables.printed(shown, study.metric)) if shown else ""
    yield Section(
        str(study.record["question"]), _answer(study, found), table, tuple(_drawings(study, rows, shown, found))
    )
    yield from sensitivity.sections(study, found)
    yield Section("What would change it", _bullets(map(markdown, prospects(study, found))), "", ())


def _answer(study: StudyView, found: Sequence[Verdict]) -> str:
    could_find = detectable(study, found)
    lead = [one.sentence for one in footings(study)]
    lead += [verdicts.tally(found, study.tier), could_find.sentence if could_find else ""]
    said = [f"**{one.words}**: {markdown(one.sentence)}" for one in found] or ["Described, not tested."]
    told = _bullets([*map(markdown, filter(None, lead)), *said])
    return f"`{study.name}`: {markdown(verdicts.heading(study))}\n\n{told}"


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"* {sentence}" for sentence in sentences)


def _drawings(
    study: StudyView, rows: Sequence[ArmRow], shown: Sequence[ArmRow], found: Sequence[Verdict]
) -> Iterator[Drawing]:
    if found:
        yield finite_designs.effects_figure(study, found)
    if shown and len(shown) <= finite_designs.MOST_ARMS:
        yield finite_designs.arms_figure(study, shown)
    yield from curves.level_figures(study, shown)
    yield from knob_maps.grid_figures(study, shown)
    yield from pareto.pareto_figures(study, rows)
    yield from boundaries.boundary_figures(study, study_view.epochs_of(study, study_view.confirm_rows(study)))


def across_sections(studies: Sequence[StudyView], n_bootstrap: int = 200) -> list[Section]:
    """Return what only several studies together say: knobs on one scale, head to head, the price of no labels."""
    local = [study for study in studies if study.record.get("tier", "local") == "local"]
    if not local:
        return []
    found = [importance_section(local, n_bootstrap), *head_to_head_sections(local)]
    found += [label_free_section(local), collapse_section(local)]
    return [section for section in found if section is not None]
