"""Bundling: what may share a bundle, in an order and of a size that no worker count moves."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.bundles.grouping import bundles, halves
from orchestrator.knobs import Choice, Float, Knob
from orchestrator.trial import Bundle, TrialSpec

SPACES = {"m": {"weight": Knob(1.0, Float(0.0, 9.0), fuses=True), "loss": Knob("a", Choice("a", "b"))}}
SPEC = TrialSpec(method="m", method_version=1, config={"weight": 1.0, "loss": "a"}, dataset="d", dataset_digest="x")


def spec(weight, loss, seed, precision="float32"):
    return replace(SPEC, config={"weight": float(weight), "loss": loss}, seed=seed, precision=precision)


precisions = st.sampled_from(["float32", "bfloat16"])
trials = st.lists(
    st.builds(spec, st.integers(0, 9), st.sampled_from("ab"), st.integers(0, 12), precisions),
    unique_by=lambda s: s.trial_id,
)


@given(trials, st.integers(1, 20))
def test_every_trial_is_in_exactly_one_bundle_and_members_differ_only_in_fusing_knobs_and_seed(specs, limit):
    made = bundles(specs, SPACES, lambda _: limit)
    placed = [s.trial_id for b in made for s in b.specs]
    assert sorted(placed) == sorted(s.trial_id for s in specs)
    for bundle in made:
        assert 1 <= len(bundle) <= limit
        assert len({(s.config["loss"], s.precision) for s in bundle.specs}) == 1


def test_arms_that_share_a_seed_lie_beside_each_other():
    made = bundles([spec(w, "a", s) for w in range(4) for s in range(8)], SPACES, lambda _: 64)
    assert [s.seed for s in made[0].specs] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_bundles_are_cut_between_seeds():
    made = bundles([spec(w, "a", s) for s in range(3) for w in range(10)], SPACES, lambda _: 64)
    assert [{s.seed for s in b.specs} for b in made] == [{0}, {1}, {2}]
    large = bundles([spec(w, "a", s) for s in range(2) for w in range(10)], SPACES, lambda _: 4)
    assert [len(b) for b in large] == [4, 4, 2, 4, 4, 2]


def test_a_limit_of_one_gives_bundles_of_one():
    assert all(len(b) == 1 for b in bundles([spec(1, "a", s) for s in range(5)], SPACES, lambda _: 1))


def test_halves_keep_all_members_and_their_attempts():
    bundle = Bundle(tuple(spec(1, "a", s) for s in range(5)), (1, 2, 3, 4, 5))
    first, second = halves(bundle)
    assert first.specs + second.specs == bundle.specs
    assert first.attempts + second.attempts == bundle.attempts
    assert halves(Bundle((SPEC,))) == [Bundle((SPEC,))]
