"""What a record says of a domain becomes Optuna's distribution, and asking for it stays cheap."""

import subprocess
import sys

from analysis.sensitivity.distributions import distribution


def test_a_declared_domain_wins_over_the_values():
    known = distribution([0.1, 0.2], {"low": 0.01, "high": 1.0, "log": True})
    assert (known.low, known.high, known.log) == (0.01, 1.0, True)
    text = distribution([0.5, 2.0], "a number from 1e-05 to 10")
    assert (text.low, text.high, text.log) == (1e-05, 10.0, True)
    assert distribution([2.0, 3.0], "a number from 1 to 9").__class__.__name__ == "FloatDistribution"
    assert distribution([1, 5]).__class__.__name__ == "IntDistribution"
    assert distribution([True, False]).__class__.__name__ == "CategoricalDistribution"


def test_it_loads_neither_pandas_nor_the_statistics():
    code = "import sys, analysis.sensitivity.distributions; print({'pandas', 'scipy.stats'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )
