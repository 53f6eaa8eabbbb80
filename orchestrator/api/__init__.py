"""The Python interface: run a study from a notebook, read a results folder as data frames, sentences and figures.

Everything here is also a name of `orchestrator` itself, loaded when it is asked for:

    import orchestrator as dco

    answer = dco.run_study("quickstart", settings=("dataset=digits",))
    answer.sentences, answer.contrasts(), answer.figures()["effects"]
"""

from __future__ import annotations

from orchestrator.api.answer import Answer
from orchestrator.api.results import Results, load_results
from orchestrator.api.running import Step, run_study

__all__ = ["Answer", "Results", "Step", "load_results", "run_study"]
