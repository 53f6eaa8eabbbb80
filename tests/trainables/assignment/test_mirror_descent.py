"""Mirror descent goes down and comes to the optimum of the other solvers."""

import torch
from hypothesis import given, settings
from soft_problems import problem, problems

from trainables.assignment.dense_newton import dense_newton
from trainables.assignment.em import em
from trainables.assignment.mirror_descent import mirror_descent
from trainables.assignment.newton import newton
from trainables.assignment.pseudo_labels import objective

quick = settings(max_examples=12, deadline=None)


def test_all_four_solvers_meet_at_the_one_optimum():
    sigma, weight, prior = problem(4, 2, 9, 3, 1.0)
    weight = weight.clamp_max(3.0)
    exact = newton(sigma, weight, prior, tolerance=1e-12)
    rivals = (
        em(sigma, weight, prior, tolerance=-1.0, max_iterations=1_000),
        mirror_descent(sigma, weight, prior, tolerance=-1.0, max_iterations=1_000),
        dense_newton(sigma, weight, prior, tolerance=1e-12),
    )
    for rival in rivals:
        torch.testing.assert_close(rival.y, exact.y, rtol=0, atol=1e-5)
        torch.testing.assert_close(rival.objective_after, exact.objective_after, rtol=0, atol=1e-9)


@quick
@given(problems)
def test_mirror_descent_never_raises_the_objective(shape):
    sigma, weight, prior = problem(*shape)
    values = [objective(sigma, sigma, weight, prior)]
    for cap in (1, 2, 5, 20):
        found = mirror_descent(sigma, weight, prior, tolerance=-1.0, max_iterations=cap)
        values.append(objective(sigma, found.y, weight, prior))
        torch.testing.assert_close(found.objective_after, values[-1], rtol=1e-7, atol=1e-7)
        assert (values[-1] <= values[-2] + 1e-9 * (1 + weight)).all()
