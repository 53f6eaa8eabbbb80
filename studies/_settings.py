"""What the studies share: settings for data that two cores can carry, and the papers' own for their `paper` tier.

Local settings were chosen once, before any confirm seed was looked at, by neighbour mutual information (it sees no
labels) on six seeds of the `search` block: learning rates and output dimension of hard regularisation and PIPCDR, the
neighbour noise of PIPCDR, the heads of SeCu; for entropy clustering the learning rate (5 is the largest at which every
studied norm weight still contracts). The rest of SeCu's and PIPCDR's are those under which the tests of the methods
learn on digits; widths and epochs are what makes a trial cost about a second.

Those for coordinates on principal axes (`*_ON_AXES`) were chosen by the same rule: of 24 random settings of learning
rates, views, temperature or weight of dispersion, on two seeds of the `search` block and 2,000 images, the best few
were trained again on eight seeds and another 1,500 images, and the best of these by neighbour mutual information was
taken (within its standard error, that of the smaller spread). How many seeds a study has follows from the spread of NMI
on those eight, for an effect of three points at the middle contrast; where the spread of differences turned out larger
it was set anew once, from that spread alone, before any difference had been looked at.

Rates of the paper tier (`*_SECONDS`, GPU-seconds an epoch) are reckoned, not measured: a ResNet-18 on 32x32 takes 0.56
GFLOP forward and twice that backward, a data-centre GPU is taken to sustain 10 TFLOP/s in float32, SeCu trains on two
views of 50,000 images, PIPCDR on two of 60,000 with two more passes of its target; small CNNs are held up by batch
assignment and data instead, about 3 s an epoch. The ledger's own rates replace them once there are any.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.knobs import Value
from orchestrator.study import Tier

__all__ = [
    "ACTIVITY",
    "CLOTHES",
    "CLOTHES_500",
    "CLOTHES_1000",
    "CLOTHES_1000_IMBALANCED",
    "CLOTHES_IMBALANCED",
    "CLOTHES_UNEVEN",
    "ENTROPY",
    "HARD",
    "HARD_CENTROID_LR",
    "HARD_LR",
    "HARD_ON_AXES",
    "HARD_VIEW_STRENGTH",
    "PAPER_ENTROPY",
    "PAPER_ENTROPY_RESNET",
    "PAPER_HARD",
    "PAPER_PIPCDR",
    "PAPER_SECU",
    "PIPCDR",
    "PIPCDR_ON_AXES",
    "SECONDS",
    "SECU",
    "SECU_ON_AXES",
    "SECU_TEMPERATURE",
    "Settings",
    "quick",
    "without",
]

Settings = Mapping[str, Value]

CLOTHES = "fashion_mnist:subset=2000,pca=64"
"""2,000 images of clothes, each as 64 coordinates on the principal axes of their pixels."""
CLOTHES_IMBALANCED = "fashion_mnist:imbalance=3,subset=2000,pca=64"
"""The same with classes from 1 to 1/10 (ten classes, the last at a tenth of the first)."""
CLOTHES_UNEVEN = "fashion_mnist:imbalance=1,subset=2000,pca=64"
"""The same with classes from 1 to 1/2."""
CLOTHES_1000 = "fashion_mnist:subset=1000,pca=64"
"""1,000 of such images, for networks that see each point many times."""
CLOTHES_1000_IMBALANCED = "fashion_mnist:imbalance=3,subset=1000,pca=64"
"""The same with classes from 1 to 1/10."""
CLOTHES_500 = "fashion_mnist:subset=500,pca=64"
"""500 of such images, for the question whether an answer hangs on their number."""
ACTIVITY = "watch:subset=2000"
"""2,000 windows of seven exercises, 96 features each."""

HARD: Settings = {
    "network": "mlp",
    "width": 128,
    "output_dim": 32,
    "view": "affine",
    "label_from": "original",
    "lr": 3e-3,
    "centroid_lr": 3e-3,
}

PIPCDR: Settings = {
    "network": "mlp",
    "encoder_width": 128,
    "head_width": 128,
    "output_dim": 32,
    "view": "affine",
    "batch_size": 128,
    "ema": 0.95,
    "lr": 0.4,
    "cdr_weight": 0.3,
    "noise_units": "relative",
    "neighbour_noise": 0.1,
    "kmeans_every": 5,
    "kmeans_restarts": 3,
    "weight_decay": 5e-3,
}

SECU: Settings = {
    "network": "mlp",
    "encoder_width": 128,
    "head_width": 128,
    "output_dim": 64,
    "output_norm": True,
    "view": "affine",
    "batch_size": 64,
    "heads": 1,
    "temperature": 0.25,
    "centre_temperature": 0.7,
    "dual_lr": 0.8,
    "lr": 0.1,
    "centre_lr": 0.3,
    "warmup_epochs": 3,
    "weight_decay": 5e-3,
}

HARD_LR, HARD_CENTROID_LR = 3e-3, 1e-3
"""Of encoder and centroids, `HARD_ON_AXES`."""
HARD_VIEW_STRENGTH = 1.7
"""Of its noise."""
HARD_ON_AXES: Settings = {
    **HARD,
    "view": "noise",
    "view_strength": HARD_VIEW_STRENGTH,
    "lr": HARD_LR,
    "centroid_lr": HARD_CENTROID_LR,
}

PIPCDR_ON_AXES: Settings = {
    **PIPCDR,
    "view": "noise_dropout",
    "view_strength": 1.2,
    "lr": 0.4,
}

SECU_TEMPERATURE = 0.16
"""Of the encoder's loss, `SECU_ON_AXES`."""
SECU_ON_AXES: Settings = {
    **SECU,
    "view": "noise",
    "view_strength": 2.0,
    "temperature": SECU_TEMPERATURE,
    "lr": 0.055,
    "centre_lr": 0.15,
}

ENTROPY: Settings = {"lr": 5.0}

PAPER_HARD: Settings = {
    "network": "paper",
    "output_dim": 128,
    "view": "none",
    "view_strength": 1.0,
    "label_from": "view",
    "lr": 1e-3,
    "centroid_lr": 1e-3,
    "batch_size": 256,
}
"""The reference code's (CIFAR-10: 10 epochs, small CNN, no augmentation)."""

PAPER_PIPCDR: Settings = {
    "network": "resnet18",
    "head_width": 4096,
    "output_dim": 256,
    "view": "standard",
    "view_strength": 1.0,
    "batch_size": 512,
    "ema": 0.996,
    "lr": 0.05,
    "cdr_weight": 1.0 / 11.0,
    "noise_units": "absolute",
    "neighbour_noise": 1e-3,
    "kmeans_every": 1,
    "kmeans_restarts": 10,
    "weight_decay": 5e-4,
    "loss_scale": "added",
    "ema_order": "before",
}
"""ProPos' for CIFAR-10 (1,000 epochs); PIPCDR's own were not found."""

PAPER_SECU: Settings = {
    "network": "resnet18",
    "head_width": 512,
    "output_dim": 128,
    "output_norm": False,
    "view": "standard",
    "view_strength": 1.0,
    "batch_size": 128,
    "heads": 10,
    "temperature": 0.05,
    "centre_temperature": 0.05,
    "dual_lr": 0.1,
    "lr": 0.2,
    "centre_lr": 1.2,
    "warmup_epochs": 10,
    "weight_decay": 1e-4,
}
"""The supplement's and the code's for CIFAR-10 (401 epochs)."""

PAPER_ENTROPY: Settings = {
    "network": "vgg4",
    "optimiser": "adam",
    "lr": 1e-4,
    "weight_decay": 0.01,
    "view": "flip_rotation_colour",
    "n_views": 2,
    "batch_size": 250,
}
"""Joint training of Table 4 (VGG4, 50 epochs); its layers and the weight of its views were not found. Batches of 160 on
STL-10."""

PAPER_ENTROPY_RESNET: Settings = {
    "network": "resnet18",
    "start": "simclr",
    "pretext_epochs": 500,
    "optimiser": "adam",
    "lr": 0.1,
    "encoder_rate": 1e-4,
    "weight_decay": 1e-4,
    "view": "flip_rotation_colour",
    "n_views": 1,
    "view_weight": 0.5,
    "batch_size": 200,
}
"""Tables 5 and 6, split (ResNet-18 after SCAN's first stage, 50 epochs). Views weigh 0.5 on STL-10, 0.2 on CIFAR-10 and
0.4 on CIFAR-100; the encoder's rate is a power of ten that could not be read, 1e-5 here."""

SECONDS: Mapping[str, float] = {
    "hard_regularization": 3.0,
    "entropy": 3.0,
    "secu": 17.0,
    "pipcdr": 27.0,
    "kmeans": 60.0,
    "mi_gradient_descent": 3.0,
    "miadm": 3.0,
    "sela": 4.0,
}
"""Method -> GPU-seconds an epoch at the paper tier, as reckoned above (k-means runs on the CPU, once)."""


def without(settings: Settings, *knobs: str) -> dict[str, Value]:
    """Return settings without the knobs that a study varies: no tier may set those."""
    return {name: value for name, value in settings.items() if name not in knobs}


def quick(*datasets: str) -> Tier:
    """Return the tier `quick`: the same arms on small pictures of digits and three seeds, all studies in minutes.

    It shows that a study runs and what its page looks like. Settings are those of the local tier; on three seeds it
    describes and claims nothing.
    """
    return Tier(datasets=datasets, seeds=3, exploratory=True)
