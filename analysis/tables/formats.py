"""A table of texts as HTML, LaTeX and the files beside a report; what stands in its cells comes from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.number_format import MINUS

__all__ = ["as_html", "as_latex", "write_formats"]

TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    MINUS: "$-$",
    "–": "--",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "<": "$<$",
    ">": "$>$",
}


def as_html(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; text cells left, numbers right (the class says which)."""
    top = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    inner = "\n".join(map(_html_row, body))
    return f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{inner}\n</tbody>\n</table>"


def _html_row(line: Sequence[str]) -> str:
    cells = "".join(f'<td class="{_side(cell)}">{html.escape(cell)}</td>' for cell in line)
    return f"<tr>{cells}</tr>"


def _side(cell: str) -> str:
    return "number" if re.match(rf"[0-9+{MINUS}–]|< ?[0-9]", cell) else "text"


def as_latex(head: Sequence[str], body: Sequence[Sequence[str]], caption: str, key: str) -> str:
    """Return a booktabs table that compiles under pdflatex with the `booktabs` package alone."""
    sides = "".join(_tex_side([line[i] for line in body]) for i in range(len(head)))
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{_tex(caption)}}}",
            rf"\label{{tab:{key}}}",
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            _tex_row(head),
            r"\midrule",
            *map(_tex_row, body),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _tex_side(column: Sequence[str]) -> str:
    """Return the side on which a column is set: right if all of its cells that are not empty are numbers."""
    return "r" if all(_side(cell) == "number" for cell in column if cell) else "l"


def _tex_row(line: Sequence[str]) -> str:
    return " & ".join(map(_tex, line)) + r" \\"


def _tex(text: str) -> str:
    return "".join(TEX.get(sign, sign) for sign in " ".join(text.split()))


def write_formats(texts: Mapping[str, str], name: str, folder: Path) -> dict[str, Path]:
    """Write `name`.csv and so on into `folder`, which is made; return their paths by ending.

    Args:
        texts: ending -> content of the file.
        name: of the files, without an ending.
        folder: where they go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for ending, text in texts.items():
        paths[ending] = folder / f"{name}.{ending}"
        paths[ending].write_text(text, encoding="utf-8")
    return paths
