"""Settings of a process: taken down, put back, and in force for whom they belong to only."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from orchestrator.machine.process_settings import OwnSettings, changed, current, importing, imposed_by, put_back

CHANGES = {
    "torch.default_dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch.num_threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch.grad_enabled": lambda: torch.set_grad_enabled(False),
    "torch.deterministic_algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "torch.float32_matmul_precision": lambda: torch.set_float32_matmul_precision("medium"),
    "torch.anomaly_detection": lambda: torch.autograd.set_detect_anomaly(True),
    "torch.backends.cudnn.benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "numpy.seterr over": lambda: np.seterr(over="raise"),
    "environment CHANGED_BY_A_TEST": lambda: os.environ.__setitem__("CHANGED_BY_A_TEST", "1"),
    "environment HOME": lambda: os.environ.__setitem__("HOME", "/nowhere"),
    "environment PATH": lambda: os.environ.pop("PATH"),
}


@pytest.fixture(autouse=True)
def _as_before():
    before = current()
    yield
    put_back(before)
    assert current() == before


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_named_and_put_back(name):
    before = current()
    CHANGES[name]()
    found = put_back(before)
    assert list(found) == [name]
    assert changed(before, current()) == {}


@pytest.mark.parametrize("name", CHANGES)
def test_a_method_keeps_its_settings_and_others_never_see_them(name):
    before, own = current(), OwnSettings({})
    with own.own():
        CHANGES[name]()
        inside = current().get(name)
    assert current() == before
    with own.own():
        assert current().get(name) == inside
    assert current() == before
    assert own.told("m").startswith(f"method 'm' sets {name} = ")


def test_what_an_import_sets_holds_for_its_own_trials_only():
    before = current()
    with importing("some_module"):
        torch.set_default_dtype(torch.float64)
    assert current() == before
    own = OwnSettings(imposed_by("some_module"))
    with own.own():
        assert torch.get_default_dtype() is torch.float64
    assert torch.get_default_dtype() is torch.float32
    assert imposed_by("another") == {}
    assert OwnSettings({}).told("m") == ""


def test_a_plugin_that_brings_torch_along_began_at_torchs_defaults():
    code = (
        "from orchestrator.machine.process_settings import importing, imposed_by\n"
        "with importing('p'):\n    import torch; torch.set_default_dtype(torch.float64)\n"
        "assert torch.get_default_dtype() is torch.float32\n"
        "assert dict(imposed_by('p')) == {'torch.default_dtype': torch.float64}, imposed_by('p')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment)
