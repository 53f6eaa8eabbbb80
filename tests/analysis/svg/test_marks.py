import math

import numpy as np

from analysis.svg.marks import Heat


def test_a_bar_of_colours_ends_at_the_values_that_there_are():
    assert Heat(values=np.array([[3.0, np.nan], [-1.0, 2.0]]), label="x").ends == (-1.0, 3.0)
    assert all(map(math.isnan, Heat(values=np.full((2, 2), np.nan), label="x").ends))
