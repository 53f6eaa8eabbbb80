"""The problem of soft labels: its objective and its fairness terms."""

import numpy as np
import torch
from soft_problems import problem

from trainables.assignment.pseudo_labels import reverse_kl


def test_negative_entropy_is_the_reverse_form_at_a_uniform_prior_less_a_constant():
    mean = problem(1, 3, 1, 6, 1.0)[0][:, 0]
    uniform = torch.full_like(mean, 1 / 6)
    entropy = -(mean * mean.log()).sum(1)
    torch.testing.assert_close(reverse_kl(uniform, mean), -entropy + np.log(6))
