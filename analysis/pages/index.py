"""All studies of a ledger: each one's report, an index page, ANSWERS.md, family notebooks; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.across.families import ACROSS, by_family
from analysis.data import provenance, study_view
from analysis.data.study_view import StudyView
from analysis.pages import answers, rendering, report, unchanged
from analysis.pages import stamp as stamps
from analysis.pages.overview import Line, common_axis, line_of
from analysis.pages.report import Answer
from orchestrator.errors import RequestError
from orchestrator.ledger import plain_files

__all__ = ["Index", "build"]

SCRIPTS = ("scripts/tables.js", "scripts/index.js")

Told = tuple[StudyView, Answer]


@dataclass(frozen=True, kw_only=True)
class Index:
    """What was made."""

    lines: tuple[Line, ...]
    summary: str
    paths: Mapping[str, Path]
    """`index`, `answers`, `notebooks` (a folder, if asked for)."""


def build(
    results: Path,
    out: Path | None = None,
    *,
    notebook: bool = True,
    words: Path | None = None,
    watch: Callable[[str], None] = lambda _: None,
) -> Index:
    """Make (or keep) the report of every study in a results folder, then `index.html` and `ANSWERS.md`.

    Args:
        results: the results folder; only read, if `out` is another or the ledger is a committed one.
        out: where the files go; None: `frame.place_for`.
        notebook: execute the notebooks of the families too; a study's own comes with its own report.
        words: where ANSWERS.md goes besides.
        watch: told what is being made.

    Raises:
        RequestError: no study was planned in this folder, or the files cannot be written.
    """
    results = Path(results)
    place = study_view.place_for(results, out)
    before = unchanged.inputs(results)
    told: list[Told] = []
    for study in study_view.load_all(results):
        watch(f"report of {study.name}")
        told.append((study, report.build_view(study, place, notebook=False)))  # families have notebooks instead
    if not told:
        raise RequestError(f"no study was planned in {str(results)!r}; run one first: orchestrate run --all")
    paths = {"index": place / "index.html", "answers": place / "ANSWERS.md"}
    with report.refused_folder(place):
        place.mkdir(parents=True, exist_ok=True)
        for name in ("index.html", "ANSWERS.md", "notebooks", "figures", unchanged.STAMP, unchanged.LINES):
            plain_files.require_plain(place, name)
        for path in (paths["answers"], *([words] if words else [])):
            path.write_text(answers.as_markdown(told), encoding="utf-8")
        if notebook:
            paths["notebooks"] = _notebooks(told, results, place, watch)
        watch("index of all studies")
        lines = [line_of(study, answer) for study, answer in told]
        paths["index"].write_text(_page(told, lines, place), encoding="utf-8")
        found = Index(lines=tuple(lines), summary=answers.totals(told), paths=paths)
        unchanged.keep(found, before, place, notebook=notebook)
    return found


def _notebooks(told: Sequence[Told], results: Path, place: Path, watch: Callable[[str], None]) -> Path:
    """Execute (or keep, if nothing changed) the notebook of every family that has a study, and that across all."""
    from analysis.pages import notebook  # nbclient and the kernel's machinery take half a second to import

    folder = place / "notebooks"
    folder.mkdir(exist_ok=True)
    content = {study.name: provenance.content_digest(study) for study, _ in told}
    families = by_family((study.record, study.name) for study, _ in told)
    families[ACROSS] = list(content)
    for family, names in families.items():
        target, stamp = folder / f"{family.name}.ipynb", folder / f"{family.name}.json"
        known = {"code": stamps.code_of_analysis(), "content": {name: content[name] for name in names}}
        if stamps.is_current(stamp, known, [target.name]):
            continue
        watch(f"notebook {family.name}")
        stamp.unlink(missing_ok=True)
        notebook.execute(family.name, target, results=results)
        stamps.write(stamp, known, [target])
    return folder


def _page(told: Sequence[Told], lines: Sequence[Line], place: Path) -> str:
    from analysis.figures import drawing
    from analysis.pages import family

    sections = family.across_sections([study for study, _ in told])
    pictures = []
    for section in sections:
        images = map(drawing.as_data_uri, drawing.save(section.drawings, place / "figures"))
        pictures.append((section, list(zip(section.drawings, images, strict=True))))
    notebooks = sorted(path.name for path in (place / "notebooks").glob("*.ipynb"))
    families = by_family(
        (study.record, (study, answer, line)) for (study, answer), line in zip(told, lines, strict=True)
    )
    return rendering.render(
        "index.html",
        scripts=SCRIPTS,
        styles=("styles/index.css",),
        lines=lines,
        axis=common_axis(lines),
        families=families,
        totals=answers.totals(told),
        discoveries=answers.discoveries(told),
        across=pictures,
        notebooks=notebooks,
    )
