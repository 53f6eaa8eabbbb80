"""The smallest dataset."""

import torch

from trainables.data.dataset import Dataset


def load():
    return Dataset("point", torch.zeros(10, 2), torch.arange(10) % 2, 2)
