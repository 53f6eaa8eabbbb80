"""trial_id: a hash of exactly the spec, and seeds whose blocks never meet."""

from dataclasses import replace

import pytest

from orchestrator.trial import Bundle, SeedBlock, TrialSpec, canonical_json

SPEC = TrialSpec(
    method="entropy", method_version=1, config={"lr": 0.1, "loss": "reverse"}, dataset="digits", dataset_digest="ab"
)


def test_the_id_does_not_depend_on_the_order_of_the_config():
    turned = replace(SPEC, config={"loss": "reverse", "lr": 0.1})
    assert turned.trial_id == SPEC.trial_id
    assert len(SPEC.trial_id) == 20


@pytest.mark.parametrize(
    "change",
    [
        {"method": "secu"},
        {"method_version": 2},
        {"config": {"lr": 0.2, "loss": "reverse"}},
        {"dataset": "mnist_5k"},
        {"dataset_digest": "cd"},
        {"protocol": "split"},
        {"seed_block": SeedBlock.SEARCH},
        {"seed": 1},
        {"n_epochs": 2},
        {"precision": "float64"},
    ],
)
def test_every_field_of_the_spec_is_part_of_the_id(change):
    assert replace(SPEC, **change).trial_id != SPEC.trial_id


def test_the_id_of_a_known_spec_never_changes():
    # a changed id would orphan every ledger in the world: it must be a decision, with a new schema version
    assert SPEC.trial_id == "14d79fbe7430d2df9121"


def test_search_and_confirm_seeds_share_no_root_seed():
    roots = {replace(SPEC, seed=seed, seed_block=block).root_seed for seed in range(500) for block in SeedBlock}
    assert len(roots) == 1000


def test_a_bundle_is_named_by_its_ordered_members():
    other = replace(SPEC, seed=1)
    assert Bundle((SPEC, other)).bundle_id != Bundle((other, SPEC)).bundle_id


def test_nan_has_no_canonical_text():
    with pytest.raises(ValueError):
        canonical_json({"lr": float("nan")})
