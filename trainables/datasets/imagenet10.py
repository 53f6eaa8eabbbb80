"""ImageNet-10: the 13,000 train images of ten classes of ImageNet that differ much (Chang et al. 2017, DAC).

penguin, Maltese dog, snow leopard, airliner, airship, container ship, soccer ball, sports car, trailer truck, orange
"""

from __future__ import annotations

from trainables.data.imagenet import ImageNetSubset

__all__ = ["absent", "load"]

SET = ImageNetSubset(
    name="imagenet10",
    classes=(
        *("n02056570", "n02085936", "n02128757", "n02690373", "n02692877"),
        *("n03095699", "n04254680", "n04285008", "n04467665", "n07747607"),
    ),
)
load, absent = SET.load, SET.absent
