import subprocess
import sys


def output_of(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


DEFERRED = (
    "import sys, pyarrow as pa; from orchestrator.machine.arrow import defer_pandas; defer_pandas(); defer_pandas(); "
)


def test_arrays_of_python_objects_load_no_pandas() -> None:
    code = DEFERRED + "pa.array(['a', None]); pa.table({'n': [1, 2]}).to_pylist(); print('pandas' in sys.modules)"
    assert output_of(code) == "False"


def test_a_frame_can_be_had_at_once() -> None:
    assert output_of(DEFERRED + "print(pa.table({'n': [1, 2]}).to_pandas()['n'].sum())") == "3"


def test_what_pandas_made_is_known_for_pandas_own() -> None:
    code = DEFERRED + "import pandas as pd; print(pa.array(pd.Series([1.0, float('nan')])).null_count)"
    assert output_of(code) == "1"  # a plain list would keep NaN as a number


def test_pandas_that_is_loaded_already_stays_known() -> None:
    assert (
        output_of("import pandas as pd; " + DEFERRED + "print(pa.array(pd.Series([float('nan')])).null_count)") == "1"
    )
