"""Another method, so that one worker trains bundles of two."""

import importlib.util
from pathlib import Path

from trainables.method import InTurn

_spec = importlib.util.spec_from_file_location("_scripted", Path(__file__).with_name("scripted.py"))
_scripted = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_scripted)


class METHOD(InTurn):
    member = _scripted.Scripted
    Config = _scripted.Config
