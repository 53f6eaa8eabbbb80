"""ImageNet-Dogs: the 19,500 train images of fifteen breeds of dogs in ImageNet (Chang et al. 2017, DAC)."""

from __future__ import annotations

from trainables.data.imagenet import ImageNetSubset

__all__ = ["absent", "load"]

SET = ImageNetSubset(
    name="imagenet_dogs",
    classes=(
        *("n02085936", "n02086646", "n02088238", "n02091467", "n02097130"),
        *("n02099601", "n02101388", "n02101556", "n02102177", "n02105056"),
        *("n02105412", "n02105855", "n02107142", "n02110958", "n02112137"),
    ),
)
load, absent = SET.load, SET.absent
