"""The Python interface: light to import, and all of it on its page."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator as dco

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_importing_the_project_loads_neither_torch_nor_ray_nor_pandas():
    code = "import sys, orchestrator; print([n for n in ('torch', 'ray', 'pandas', 'matplotlib') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_page_names_every_public_symbol():
    text = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    wanted = set(dco.__all__)
    for kind in (dco.Answer, dco.Results):
        wanted |= {name for name in vars(kind) if not name.startswith("_")}
    wanted |= {"folder", *dco.Step.__dataclass_fields__, *inspect.signature(dco.run_study).parameters}
    assert wanted <= words, wanted - words
    for kind in (dco.Answer, dco.Results, dco.run_study, dco.load_results):
        assert kind.__doc__


def test_a_name_that_is_none_of_the_interface_is_refused_with_those_that_are():
    with pytest.raises(AttributeError, match="it has: Answer"):
        dco.answer  # noqa: B018
