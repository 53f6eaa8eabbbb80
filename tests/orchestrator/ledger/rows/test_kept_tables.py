"""What a driver remembers of the batches it wrote: it is what their files hold, as long as there is room."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from orchestrator.ledger import schema
from orchestrator.ledger.rows import compaction, kept_tables
from orchestrator.ledger.rows.batches import Batches
from orchestrator.trial import SeedBlock, TrialOutcome, TrialSpec, TrialState


def outcome(seed: int) -> TrialOutcome:
    spec = TrialSpec(
        method="toy",
        method_version=1,
        config={"rate": 0.5},
        dataset="blobs",
        dataset_digest="d" * 20,
        seed_block=SeedBlock.CONFIRM,
        seed=seed,
        n_epochs=2,
    )
    return TrialOutcome(spec=spec, attempt=1, state=TrialState.COMPLETE, metrics={"acc": 0.5})


def epochs_of(one: TrialOutcome) -> pa.Table:
    table = pa.table(
        {"trial_id": [one.spec.trial_id] * 2, "attempt": [1, 1], "epoch": [1, 2], "metric.acc": [0.4, 0.5]}
    )
    return schema.epochs_table(table)


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    for name in ("trials", "epochs"):
        (tmp_path / name).mkdir()
    made = Batches(tmp_path)
    made.refresh()
    for seed in range(4):
        compaction.write(made, schema.trials_table([outcome(seed)]), epochs_of(outcome(seed)) if seed else None)
    return made


def test_what_is_remembered_of_a_batch_is_what_its_files_hold(batches: Batches) -> None:
    read = Batches(batches.folder)
    read.refresh()
    assert batches.live() == read.live()
    for batch in batches.live():
        assert batch[0] in batches.kept
        assert batch[0] not in read.kept
        assert batches.trials(batch).equals(read.trials(batch))
        assert batches.index(batch).equals(read.index(batch))
        assert batches.trials_schema(batch).equals(read.trials_schema(batch))
        assert batches.epochs_schema(batch).equals(read.epochs_schema(batch))
        assert list(batches.parts(batch, None)) == list(read.parts(batch, None))
        some = batches.trials(batch).slice(0, 1).select(["trial_id", "attempt"])
        assert list(batches.parts(batch, some)) == list(read.parts(batch, some))


def test_what_was_put_together_is_remembered_no_longer(batches: Batches) -> None:
    assert batches.kept.n_cells > 0
    compaction.merge(batches, batches.live())
    assert batches.kept.n_cells == 0
    (whole,) = batches.live()
    assert whole[0] not in batches.kept
    assert len(batches.trials(whole)) == 4


def test_what_there_is_no_room_for_is_read_from_its_file(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = batches.kept.n_cells
    monkeypatch.setattr(kept_tables, "KEPT_CELLS", cells)
    compaction.write(batches, schema.trials_table([outcome(9)]), None)
    newest = batches.live()[-1]
    assert newest[0] not in batches.kept
    assert batches.kept.n_cells == cells
    assert batches.trials(newest)["seed"].to_pylist() == [9]


def test_all_can_be_forgotten_and_files_are_read_instead(batches: Batches) -> None:
    before = [batches.trials(batch) for batch in batches.live()]
    batches.kept.forget()
    assert batches.kept.n_cells == 0
    assert [batches.trials(batch) for batch in batches.live()] == before
