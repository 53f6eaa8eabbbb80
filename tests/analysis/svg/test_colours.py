"""The colours of maps are cividis', as Matplotlib has it."""

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb

from analysis.svg.colours import CIVIDIS, colour_at


def test_colours_are_those_of_cividis():
    whole = matplotlib.colormaps["cividis"]
    for share in np.linspace(0.0, 1.0, 101):
        assert np.allclose(to_rgb(colour_at(share)), whole(share)[:3], atol=0.04)


def test_both_ends_are_the_first_and_the_last_colour():
    assert (colour_at(0.0), colour_at(1.0)) == (CIVIDIS[0], CIVIDIS[-1])
