"""What a driver knows of each trial, against a dictionary."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ledger.rows.index import Index, compact, of_trials
from orchestrator.ledger.schema import RANK
from orchestrator.trial import TrialState

ROW = st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from(list(TrialState)))


def compacted(rows):
    ids, attempts, states = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {
        "trial_id": pa.array(ids, pa.string()),
        "attempt": pa.array(attempts, pa.int64()),
        "state": pa.array(list(map(str, states)), pa.string()),
    }
    return compact(pa.table(columns))


@given(st.lists(st.lists(ROW, max_size=5), max_size=4))
def test_of_every_attempt_the_best_rank_is_known_whatever_came_first(parts):
    index, known = Index(), {}
    for rows in parts:
        index.add(compacted(rows))
        for trial, attempt, state in rows:
            own = known.setdefault(trial, {})
            own[attempt] = max(own.get(attempt, 0), RANK[state])
    for trial in "abc":
        assert dict(index.attempts(trial)) == known.get(trial, {})
        assert index.rank(trial) == max(known.get(trial, {}).values(), default=0)


def test_a_state_of_a_later_program_has_no_rank():
    rows = {"trial_id": ["a"], "attempt": [1], "state": ["postponed"]}
    assert compact(pa.table(rows))["rank"].to_pylist() == [0]


def test_an_index_of_some_trials_knows_nothing_of_others():
    tables = [compacted([("a", 1, TrialState.COMPLETE), ("b", 1, TrialState.FAILED)])]
    index = of_trials(tables, ["b"])
    assert index.rank("b") == RANK[TrialState.FAILED]
    assert not index.attempts("a")
