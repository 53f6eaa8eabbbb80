"""A method that trains nothing: it sleeps, and its metrics are draws that depend on seed, knob and epoch alone."""

import os
import time
from dataclasses import dataclass

import torch

from orchestrator.knobs import Float, knob
from trainables.method import InTurn, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    nap: float = knob(0.0, Float(0.0, 100.0), fuses=True)
    scale: float = knob(1.0, Float(0.0, 10.0), fuses=True)


class Scripted:
    def __init__(self, config, seed, data, device):
        self.config, self.seed, self.data, self.epoch = config, seed, data, 0

    def fit_epoch(self):
        time.sleep(self.config.nap)
        self.epoch += 1

    def evaluate(self, last):
        generator = torch.Generator().manual_seed((self.seed + self.epoch) % 2**32)
        draw = float(torch.rand(1, generator=generator)) * self.config.scale
        return {
            "metric.nmi": draw + float(self.data.inputs.sum()),
            "diagnostic.pid": float(os.getpid()),
            "diagnostic.torch_threads": float(torch.get_num_threads()),
            "diagnostic.omp_threads": float(os.environ.get("OMP_NUM_THREADS", "0")),
            "diagnostic.malloc_threshold": float(os.environ.get("MALLOC_MMAP_THRESHOLD_", "0")),
            "diagnostic.shared_inputs": float(_is_shared(self.data.inputs.data_ptr())),
        }

    def state_dict(self):
        return {"epoch": torch.tensor(self.epoch)}

    def load_state_dict(self, state):
        self.epoch = int(state["epoch"])


def _is_shared(address):
    """Return whether an address lies in a file that all workers map."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, *_, name = line.split(maxsplit=5)
            low, high = (int(end, 16) for end in span.split("-"))
            if low <= address < high:
                return name.strip().endswith("inputs.npy")
    return False


class METHOD(InTurn):
    member = Scripted
    Config = Config
