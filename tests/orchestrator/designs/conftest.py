"""A small knob space that the tests of all designs share."""

from __future__ import annotations

import pytest

from orchestrator.knobs import Choice, Float, Int, Knob


@pytest.fixture
def space() -> dict[str, Knob]:
    """Five knobs: real, logarithmic, whole, a choice, and one that only matters under a choice."""
    return {
        "weight": Knob(1.0, Float(0.0, 10.0), fuses=True),
        "lr": Knob(0.1, Float(0.01, 1.0, log=True), fuses=True),
        "every": Knob(1, Int(1, 16)),
        "loss": Knob("reverse", Choice("reverse", "forward")),
        "order": Knob(2.0, Float(0.5, 5.0), when={"loss": ("forward",)}),
    }
