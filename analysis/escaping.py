"""Text from a ledger on its way into Markdown: shown as it is, and never taken for more.

Questions, names of arms and errors were written by whoever made the results folder. HTML is escaped by the templates,
CSV by `orchestrator.ledger.rows.spreadsheet`.
"""

from __future__ import annotations

import re

__all__ = ["markdown"]

_MARKUP = re.compile(r"(<)(?=[A-Za-z/!?])|(&)(?=#|[A-Za-z]+\d*;)|([`\[\]$\\])")
"""What begins a tag, an entity, code, a link or an image, a formula or an escape; a lone `<` or `&` does not."""

_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def markdown(text: str) -> str:
    """Return a text as one line of Markdown that shows it: no tag, link, code or formula comes of it."""
    return _MARKUP.sub(lambda met: _ENTITIES.get(met[0], "\\" + met[0]), " ".join(text.split()))
