"""The HTML pages: their templates lie in `templates/`, on one base, and are filled here."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Return a page; a template that asks for a value which is not given raises."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["zip"] = zip
    return environment.get_template(template).render(**values)


def _source(name: str) -> str:
    return files("analysis").joinpath("templates", name).read_text(encoding="utf-8")
