"""The HTML pages: templates, styles and scripts lie in `templates/` and are put together here, everything inside.

A page carries a policy that lets run just the scripts that were put in, by their digests, and asks for nothing from
any other place: whatever a ledger's texts hold, no script comes of it and nothing leaves the machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["as_json", "card", "policy", "render", "source"]

COLOURS, FOREST = "styles/colours.css", "styles/forest.css"
STYLES = (COLOURS, "styles/base.css", FOREST)
SCRIPTS = ("scripts/theme.js",)


def render(
    template: str,
    *,
    scripts: Sequence[str] = (),
    styles: Sequence[str] = (),
    connect: str = "'none'",
    **values: Any,
) -> str:
    """Return a page; a template that asks for a value which is not given raises.

    Args:
        template: its name in `templates/`.
        scripts: names of scripts there, in order, after those of every page.
        styles: names of style sheets there, after those of every page.
        connect: from where the page may ask for more; a file needs nothing.
        values: what the template names.
    """
    whole = [source(name) for name in (*SCRIPTS, *scripts)]
    known = {"style_sheet": "\n".join(source(name) for name in (*STYLES, *styles)), "page_scripts": whole}
    page: str = _environment().get_template(template).render(policy=policy(whole, connect), **known, **values)
    return page


def card(template: str, **values: Any) -> str:
    """Return a part of a page as a notebook shows it: with the look of the pages, which holds within it alone.

    Args:
        template: its name in `templates/`; what it holds is of class `orchestrate-card`.
        values: what the template names.
    """
    colours = source(COLOURS).replace(":root", ".orchestrate-card")
    within = "\n".join([source(FOREST), source("styles/card.css")])
    text: str = _environment().get_template(template).render(**values)
    return f"<style>{colours}.orchestrate-card {{\n{within}}}</style>{text}"


def policy(scripts: Sequence[str], connect: str = "'none'") -> str:
    """Return the content security policy of a page with just these scripts."""
    digests = " ".join(f"'sha256-{_digest(text)}'" for text in dict.fromkeys(scripts)) or "'none'"
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'"
    )


def as_json(value: Any) -> str:
    """Return JSON that may stand inside a script element: no text in it can end the element or begin another."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def source(name: str) -> str:
    """Return the text of a template, style sheet or script."""
    return files("analysis").joinpath("templates", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(source),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["zip"] = zip
    return environment
