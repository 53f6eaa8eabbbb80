import pytest
from sklearn.datasets import load_digits

from orchestrator.errors import DataError
from trainables.data.packaged_rows import packaged_rows
from trainables.datasets import digits


def test_rows_are_those_that_the_package_itself_reads():
    rows = packaged_rows("digits", "sklearn", "scikit-learn", digits.FILE, 65)
    loaded = load_digits()
    assert (rows[:, :-1] == loaded.data).all()
    assert (rows[:, -1] == loaded.target).all()


def test_a_package_that_is_absent_is_named_with_the_command_that_brings_it():
    with pytest.raises(DataError, match="part of no-such, which is absent: pip install no-such"):
        packaged_rows("mine", "no_such_package", "no-such", digits.FILE, 65)


def test_a_file_of_another_width_is_refused_by_its_name():
    with pytest.raises(DataError, match=r"digits.csv.gz' holds 116805 numbers, no rows of 65 \+ 1"):
        packaged_rows("mine", "sklearn", "scikit-learn", digits.FILE, 66)
