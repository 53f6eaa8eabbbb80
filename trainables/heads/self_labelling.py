"""Self-labelling: a strong view learns the confident label of a weak one (the last stage of SCAN, and of SeCu)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from trainables.data.augmentations import Augmentation
from trainables.heads.optimisers import Adam, Sgd
from trainables.method import MethodConfig

__all__ = ["SelfLabelling", "SelfLabellingConfig"]

STAGE = {"self_labelling": (True,)}


@dataclass(frozen=True, kw_only=True)
class SelfLabellingConfig(MethodConfig):
    """Knobs of a method whose last epochs may be this stage; defaults are SeCu's (`secu`)."""

    self_labelling: bool = knob(False, Choice(False, True))
    """Whether the last epochs are the optional self-labelling stage."""
    self_label_share: float = knob(0.2, Float(0.05, 0.9), when=STAGE)
    """Share of the epochs that are that stage (100 after 401)."""
    self_label_warmup: int = knob(10, Int(0, 50), fuses=True, when=STAGE)
    """First epochs of the stage, which train on fixed labels of all points."""
    self_label_threshold: float = knob(0.9, Float(0.5, 0.999), fuses=True, when=STAGE)
    """Least confidence of a pseudo-label after them."""
    self_label_lr: float = knob(0.01, Float(1e-4, 1.0, log=True), fuses=True, when=STAGE)
    """Learning rate of the stage: *not found*; ours."""
    self_label_batch: int = knob(1024, Int(16, 1024, log=True), when=STAGE)
    """Batch of the stage."""


class SelfLabelling:
    """The stage's views and optimiser.

    SeCu's views, class balance and learning rate were *not found*: its weak labels come from the network in evaluation
    mode, and no class is weighted. SCAN's code asks the network as it is trained, and weighs classes evenly.

    Args:
        weak: view whose prediction is the label.
        strong: view that is trained.
        optimiser: of what is trained.
        balanced: whether each label counts by the inverse of how often it stands in the batch.
        training_labels: whether weak labels use, and record, the statistics of the batch.
    """

    def __init__(
        self,
        weak: Augmentation,
        strong: Augmentation,
        optimiser: Sgd | Adam,
        *,
        balanced: bool = False,
        training_labels: bool = False,
    ) -> None:
        self.weak, self.strong, self.optimiser = weak, strong, optimiser
        self.balanced, self.training_labels = balanced, training_labels

    def begin_epoch(self) -> None:
        """Draw both views' parameters."""
        self.weak.begin_epoch()
        self.strong.begin_epoch()

    def epoch(
        self,
        inputs: Tensor,
        batches: Sequence[Tensor],
        logits: Callable[[Tensor, bool], Tensor],
        params: Sequence[Tensor],
        fixed: Tensor,
        threshold: Tensor,
    ) -> Tensor:
        """Take a step for each of `batches`, (M, B) indices into `inputs`; return their mean loss (M,). See `step`."""
        self.begin_epoch()
        total = torch.zeros_like(threshold)
        for rows in batches:
            total += self.step((inputs[rows], rows), logits, params, fixed, threshold)
        return total / len(batches)

    def step(
        self,
        batch: tuple[Tensor, Tensor],
        logits: Callable[[Tensor, bool], Tensor],
        params: Sequence[Tensor],
        fixed: Tensor,
        threshold: Tensor,
    ) -> Tensor:
        """Take one step and return the loss (M,); a batch without a confident label has loss 0.

        Args:
            batch: inputs (M, B, ...), and (M, B) which samples these are.
            logits: (inputs, train) -> (M, B, K).
            params: what is trained.
            fixed: (M, N) labels of the warm-up.
            threshold: (M,) least confidence; negative during a member's warm-up, when all fixed labels count.
        """
        x, rows = batch
        warm = (threshold < 0).unsqueeze(1)
        with torch.no_grad():
            chances = logits(self.weak(x, rows), self.training_labels).softmax(2)
            share, guess = chances.max(2)
        labels = torch.where(warm, fixed.gather(1, rows), guess)
        counted = (warm | (share >= threshold.unsqueeze(1))).to(x.dtype)
        scores = logits(self.strong(x, rows), True)
        if self.balanced:
            counted = counted / _how_often(labels, counted, chances.shape[2])
        losses = scores.logsumexp(2) - scores.gather(2, labels.unsqueeze(2)).squeeze(2)
        total = counted.sum(1)
        loss = (losses * counted).sum(1) / torch.where(total > 0, total, 1.0)
        self.optimiser.step(params, torch.autograd.grad(loss.sum(), list(params)))
        return loss.detach()

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        for part in (self.weak, self.strong, self.optimiser):
            part.keep(members)

    def state_dict(self) -> dict[str, Any]:
        """Return the states of the streams and the optimiser."""
        return {name: getattr(self, name).state_dict() for name in ("weak", "strong", "optimiser")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the states of `state_dict`."""
        for name in ("weak", "strong", "optimiser"):
            getattr(self, name).load_state_dict(state[name])


def _how_often(labels: Tensor, counted: Tensor, n_clusters: int) -> Tensor:
    """Return for each label (M, B) how many counted ones it has, at least 1."""
    sizes = torch.zeros(len(labels), n_clusters, device=labels.device).scatter_add_(1, labels, counted)
    return sizes.gather(1, labels).clamp_min(1.0)
