"""The program of a trial: what all members of a bundle have in common, under the two keys that it is looked up by."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.knobs import Knob, Value
from orchestrator.trial import TrialSpec, canonical_json

__all__ = ["bundle_key", "program_key"]


def program_key(spec: TrialSpec, space: Mapping[str, Knob], device: str) -> str:
    """Return what a profile is remembered under: the program and the kind of device, not seeds, rates or budgets."""
    program = _shape(spec, space)
    return canonical_json(
        [spec.method, spec.method_version, spec.dataset, spec.protocol, spec.precision, program, device]
    )


def bundle_key(spec: TrialSpec, space: Mapping[str, Knob]) -> str:
    """Return what the members of a bundle share: the program and the budget, all but fusing knobs and the seed."""
    program = _shape(spec, space)
    return canonical_json(
        [
            spec.method,
            spec.method_version,
            spec.dataset,
            spec.protocol,
            spec.n_epochs,
            spec.precision,
            spec.stop,
            program,
        ]
    )


def _shape(spec: TrialSpec, space: Mapping[str, Knob]) -> dict[str, Value]:
    """Return the knobs that make another program: those that members of a bundle may not differ in."""
    return {name: value for name, value in spec.config.items() if not space[name].fuses}
