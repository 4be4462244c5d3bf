"""An index in the data looks up a row of parameters, or one of what was computed."""

import math
import random

import pytest

from micrograd_lab import (
    Value,
    check_gradient,
    dot,
    embedding,
    explain,
    gradients,
    logsumexp,
    replay,
    take,
    total,
)
from micrograd_lab.replaying.program import by_samples

np = pytest.importorskip("numpy")
LETTERS, WIDTH = 7, 3


def tables():
    drawn = random.Random(4)
    return [
        [
            [Value(drawn.gauss(0, 1), f"{m}_{{{i},{j}}}") for j in range(WIDTH)]
            for i in range(LETTERS)
        ]
        for m in "EH"
    ]


def word(table, head, letters):
    """The cross entropy of the last letter after the others."""
    *before, following = letters
    state = [total(column).tanh() for column in zip(*(embedding(table, x) for x in before))]
    scores = [dot(row, state) for row in head]
    return logsumexp(scores) - take(scores, following)


def nested(table, head, letters):
    """Indices that are looked up themselves or fixed, among numbers and values of all kinds."""
    first, second, x = letters
    kinds = [table[0][0], 1.5, x * table[1][1], x]
    any_of = take(kinds, take([2, 0, 3, 1, 0, 2, 1], first))
    fixed = take([table[2][0].exp(), head[0][0] * 2], 1)
    return any_of * fixed + take(head[3], take([0, 2, 1, 0, 1, 2, 2], second)) * x


@pytest.mark.parametrize("samples", [1, 300])
@pytest.mark.parametrize("function", [word, nested])
def test_every_backend_has_the_engines_numbers(backend, function, samples):
    table, head = tables()
    parameters = [value for rows in (table, head) for row in rows for value in row]
    inputs = [Value(0.0, f"x_{k}") for k in range(3)]
    data = np.random.default_rng(3).integers(LETTERS, size=(samples, 3)).astype(float)
    loss = function(table, head, inputs)
    numbers = {value: value.data for value in parameters}
    expected, slopes = by_samples(loss, inputs, numbers, data.tolist())
    program = replay(loss, inputs, parameters, backend=backend)
    assert program(data) == pytest.approx(expected, rel=1e-13)
    assert [p.grad for p in parameters] == pytest.approx(slopes, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("bad", [7.0, -1.0, 2.5, math.inf])
def test_an_index_that_is_no_rows_is_named_with_its_sample(backend, bad):
    table, head = tables()
    letters = [Value(0.0, "x_1"), Value(0.0, "x_2"), Value(0.0, "x_3")]
    program = replay(word(table, head, letters), letters, table[0], backend=backend)
    told = rf"sample 1, .*the index x_2 is {bad:g}; give a whole number from 0 to 6"
    with pytest.raises(ValueError, match=told):
        program([[1, 2, 3], [1, bad, 3]])
    told = rf"sample 0, .*the index x_3 is {bad:g}; give a whole number from 0 to 6"
    with pytest.raises(ValueError, match=told):
        program([[1, 2, bad]])


@pytest.mark.parametrize("bad", [3, -1, 0.5, math.nan])
def test_the_engine_refuses_an_index_that_is_no_rows(bad):
    with pytest.raises(
        ValueError, match=f"the index i is {bad:g}; give a whole number from 0 to 2"
    ):
        take([1, 2, 3], Value(bad, "i"))
    with pytest.raises(ValueError, match=f"the index is {bad:g}; give"):
        take([1, 2, 3], bad)


def test_nothing_can_be_taken_from_nothing():
    with pytest.raises(ValueError, match="take of 0 values; give at least 1"):
        take([], 0)


def test_rows_of_different_lengths_are_no_table():
    with pytest.raises(ValueError, match="rows of 1 and 2 values; give as many in each"):
        embedding([[1, 2], [3]], 0)


def test_one_program_runs_for_all_indices():
    table, head = tables()
    program = replay(lambda *x: word(table, head, x), parameters=table[0] + table[1])
    program.run([[k % 7, k // 7, k % 5] for k in range(49)])
    assert len(program.paths) == 1


def test_a_loss_that_was_recorded_over_many_samples_becomes_one_with_indices(backend):
    table, head = tables()
    words = [[1, 5, 2], [0, 0, 6], [3, 5, 1], [4, 2, 2]]
    loss = total(word(table, head, letters) for letters in words) / 4
    loss.backward()
    expected = loss.data, [value.grad for row in table for value in row]
    program = replay(loss, [], [value for row in table for value in row], backend=backend)
    assert program() == pytest.approx(expected[0], rel=1e-13)
    assert [v.grad for row in table for v in row] == pytest.approx(expected[1], rel=1e-12)


def test_second_derivatives_follow_the_index():
    w, index = [Value(2.0, "w_0"), Value(3.0, "w_1")], Value(0.0, "i")

    def slope(i):
        return gradients(take(w, i) ** 3, w)[1]  # 3 w_1² where i is 1

    program = replay(slope(index), [index], w)
    assert [program([[0]]), program([[1]]), program([[0], [1]])] == [0, 27, 13.5]
    assert [value.grad for value in w] == [0, 9]


def test_an_infinite_gradient_stops_at_what_was_not_taken():
    a, b = Value(1.0), Value(2.0)
    take([a, b], 1).backward(math.inf)
    assert (a.grad, b.grad) == (0.0, math.inf)


def test_a_check_leaves_out_an_index():
    table, head = tables()
    check_gradient(word(table, head, [Value(1), Value(5), Value(2)]))


def test_a_derivation_says_what_was_taken():
    a, b, i = Value(5, "a"), Value(7, "b"), Value(1, "i")
    f = take([a, b], i)
    assert "∂v4/∂b = 1 if i = 1 else 0 = 1 if 1 = 1 else 0 = 1" in str(explain(f, b))
    assert "as v4 = take(i, a, b)" in str(explain(f * 1, b))


def test_a_branch_may_depend_on_what_was_taken(backend):
    w = [Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")]

    def loss(i, x):
        v = take(w, i)
        return v * x if v * x > 2 else -v

    program = replay(loss, [Value(0.0, "i"), Value(0.0, "x")], w, backend=backend)
    assert program([[0, 1], [1, 1], [2, 1], [2, 0.1]]) == -0.75
    assert [v.grad for v in w] == [-0.25, -0.25, 0.0]
    assert len(program.paths) == 2
