"""What is tried again, how often, and what becomes of a member that is given up."""

from orchestrator.retry_policy import POLICIES, given_up
from orchestrator.trial import Bundle, FailureKind, TrialSpec, TrialState


def test_every_kind_of_failure_has_a_policy_and_says_why():
    assert set(POLICIES) == set(FailureKind)
    assert all(policy.attempts >= 1 and policy.why for policy in POLICIES.values())


def test_what_only_repeats_itself_is_never_tried_again_and_what_may_pass_is():
    once = {kind for kind, policy in POLICIES.items() if policy.attempts == 1}
    assert {FailureKind.BUG, FailureKind.DIVERGED, FailureKind.DATA} <= once
    assert FailureKind.PREEMPTION not in once and FailureKind.INFRASTRUCTURE not in once
    assert POLICIES[FailureKind.OUT_OF_MEMORY].halve


def test_a_member_that_is_given_up_has_failed_with_the_kind_and_the_bundle_in_its_row():
    spec = TrialSpec(method="toy", method_version=1, config={}, dataset="digits", dataset_digest="d", n_epochs=1)
    bundle = Bundle((spec,))
    outcome = given_up(bundle, spec, 3, FailureKind.INFRASTRUCTURE, "the worker died")
    assert (outcome.state, outcome.failure_kind, outcome.attempt) == (TrialState.FAILED, FailureKind.INFRASTRUCTURE, 3)
    assert outcome.facts == {"bundle_id": bundle.bundle_id, "bundle_size": 1}
