"""What notebooks show in the cell that asks: parts of one study's answer, or of a family of studies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import UnknownNameError

if TYPE_CHECKING:
    from analysis.data.study_view import StudyView

__all__ = ["PARTS", "show_across", "show_family", "show_paper", "show_part"]


def show_part(study: StudyView, part: str) -> None:
    """Show one of PARTS of a study.

    Raises:
        UnknownNameError: there is no such part.
    """
    if part not in PARTS:
        raise UnknownNameError("part of an answer", part, PARTS)
    PARTS[part](study)


def show_family(results: Path, family: str) -> None:
    """Show the studies of a family one by one: answer, table, figures, what would change it."""
    from analysis.pages import family as families
    from analysis.pages import notebook

    for study in families.of_family(results, family):
        for section in families.study_sections(study):
            notebook.show_section(section)


def show_paper(results: Path, family: str, paper: str) -> None:
    """Show the tables of a paper, with what the studies of a family have beside them."""
    from analysis.pages import family as families
    from analysis.pages import notebook, paper_tables

    for section in paper_tables.paper_sections(paper, families.of_family(results, family)):
        notebook.show_section(section)


def show_across(results: Path) -> None:
    """Show what only several studies together say."""
    from analysis.data import study_view
    from analysis.pages import family, notebook

    for section in family.across_sections(study_view.load_all(results)):
        notebook.show_section(section)


def _words(study: StudyView) -> None:
    """Show the verdicts and what they rest on."""
    from analysis.data import provenance, study_view, under_trained
    from analysis.escaping import markdown
    from analysis.pages import notebook
    from analysis.verdicts import verdicts
    from analysis.verdicts.beats_chance import footings
    from analysis.verdicts.detectable import detectable

    found = verdicts.verdicts(study)
    for footing in footings(study):
        notebook.show_text(markdown(footing.sentence))
    could_find = detectable(study, found)
    notebook.show_text(markdown(f"{verdicts.tally(found, study.tier)} {could_find.sentence if could_find else ''}"))
    judged = [f"- **{one.words}**: {markdown(one.sentence)}" for one in found]
    notebook.show_text("\n".join(judged) or "Nothing was to be tested.")
    notebook.show_text("\n".join(f"- {markdown(text)}" for text in verdicts.missing_sentences(study)))
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    notebook.show_text(markdown(under_trained.under_trained_sentence(study, epochs)))
    notebook.show_text(provenance.summary(study))


def _table(study: StudyView) -> None:
    """Show the table of arms."""
    from IPython.display import HTML, display

    from analysis.tables import arm_tables, formats
    from analysis.verdicts import verdicts

    rows = arm_tables.shown(arm_tables.arm_rows(study, verdicts.verdicts(study)))
    columns = arm_tables.columns(rows, study.metric, 1 - study.record["alpha"])
    display(HTML(formats.as_html(columns, arm_tables.printed(rows, study.metric))))  # type: ignore[no-untyped-call]


def _published(study: StudyView) -> None:
    """Show the study beside what papers report."""
    from analysis.escaping import markdown
    from analysis.pages import notebook
    from analysis.verdicts import reproduction

    compared = [f"- **{one.judged.word}**: {markdown(one.sentence)}" for one in reproduction.comparisons(study)]
    notebook.show_text("\n".join(compared))


def _figures(study: StudyView) -> None:
    """Show the figures of a finite design."""
    from analysis.data import study_view
    from analysis.figures import finite_designs
    from analysis.pages import notebook
    from analysis.tables import arm_tables
    from analysis.verdicts import verdicts

    found = verdicts.verdicts(study)
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    for drawing in finite_designs.study_figures(study, arm_tables.arm_rows(study, found), found, epochs):
        notebook.show(drawing)


def _searches(study: StudyView) -> None:
    """Show the searches, and what labels would have added."""
    from analysis.data import study_view
    from analysis.escaping import markdown
    from analysis.figures import rankings, searches, sensitivity
    from analysis.pages import notebook
    from analysis.verdicts import optimism, verdicts

    for drawing in searches.figures_of_searches(study):
        notebook.show(drawing)
    for section in [*rankings.sections(study), *sensitivity.sections(study, verdicts.verdicts(study))]:
        notebook.show_text(markdown(section.sentence))
        for drawing in section.drawings:
            notebook.show(drawing)
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    notebook.show_text("\n".join(f"- {markdown(one.sentence)}" for one in optimism.optimism(study, epochs)))


PARTS: dict[str, Callable[[StudyView], None]] = {
    "words": _words,
    "table": _table,
    "published": _published,
    "figures": _figures,
    "searches": _searches,
}
"""Part of an answer -> what shows it."""
