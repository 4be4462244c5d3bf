"""A replay accepts and refuses the samples that the engine accepts and refuses."""

import ast
import math
import random

import pytest
from table import ROWS, apply, arity, inside

from micrograd_lab import Value, replay, total
from micrograd_lab.replaying.program import by_samples

EDGES = [0.0, 1.0, -1.0, 0.5, -2.0, 1e-160, 1e200, 800.0, -800.0, math.nan, math.inf]


def chain(draw, parameters):
    """A loss of a few rows of the table, each on what was computed last, and its two inputs."""
    inputs = [Value(draw.uniform(0.25, 2)) for _ in range(2)]
    values = [*inputs, *parameters, Value(draw.choice([2.0, 0.5, -1.0, 3.0]))]
    for _ in range(draw.randint(1, 5)):
        op = draw.choice([op for op in ROWS if not op.variadic])  # a sum rounds in its own order
        read = [draw.choice(values[-4:]) for _ in range(arity(op))]
        if inside(op, [value.data for value in read]):
            try:
                values.append(apply(op, read))
            except ValueError:
                continue
    return values[-1], inputs


def answer(compute, *arguments):
    """The loss, or that there is none."""
    try:
        return compute(*arguments)
    except ValueError:
        return "refused"


@pytest.mark.parametrize("parameters", [0, 1])
def test_a_program_refuses_what_the_engine_refuses(backend, parameters):
    draw = random.Random(f"{backend}{parameters}")
    for _ in range(6 if backend == "jax" else 60):
        w = [Value(draw.uniform(0.25, 2)) for _ in range(parameters)]
        loss, inputs = chain(draw, w)
        program = replay(loss, inputs, w, backend=backend)
        if draw.random() < 0.5:
            program._runner._is_narrow = lambda samples: False  # arrays, also for one sample
        for _ in range(10):
            row = [draw.choice(EDGES) for _ in inputs]
            numbers = {p: p.data for p in w}
            expected = answer(by_samples, loss, inputs, numbers, [row])
            found = answer(program, [row])
            assert (found == "refused") == (expected == "refused"), (row, found, expected)


@pytest.mark.parametrize(
    ("function", "bad"),
    [
        (lambda x: x.relu().sqrt(), -1.0),
        (lambda x: x**0.5, 0.0),
        (lambda x: x**-1, 1e-160),  # whose slope overflows
        (lambda x: x**-100, 10**-3.06),
        (lambda x: x ** Value(2.0), -1.0),
        (lambda x: x.exp().sigmoid(), 800.0),
        (lambda x: 1 / x**2, 1e200),
        (lambda x: (x * 1e200 * 1e200 - x * 1e200 * 1e200).step(), 1.0),
        (lambda x: (x**0.5).step(), 0.0),
    ],
    ids=["relu, sqrt", "x½", "1/x", "x⁻¹⁰⁰", "x²", "exp, σ", "1/x²", "∞-∞, step", "x½, step"],
)
def test_a_slope_that_has_no_number_is_refused_without_parameters_too(backend, function, bad):
    x = Value(0.0 if bad == 1.0 else 1.0, "x")
    program = replay(function(x), [x], [], backend=backend)
    assert program([[x.data]]) == pytest.approx(function(x).data)
    with pytest.raises(ValueError, match="sample 1, v"):
        program([[x.data], [bad]])


def test_a_gate_hides_no_slope_that_has_no_number(backend):
    w, x = Value(1.0, "w"), Value(2.0, "x")
    program = replay((w * x).relu().sqrt().step() + w, [x], [w], backend=backend)
    with pytest.raises(ValueError, match="sample 0, v5: sqrt is undefined at x = Value"):
        program([[0.0]])


def unread(source):
    """The assignments of a program that no later line reads."""
    read, lines = {"n"}, []
    for line in reversed(ast.parse(source).body[-1].body):
        names = [node for node in ast.walk(line) if isinstance(node, ast.Name)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        if stored.isdisjoint(read) and stored:
            lines.append(ast.unparse(line))
        else:
            read |= {node.id for node in names}
    return [line for line in lines if not line.startswith("slope_")]


@pytest.mark.parametrize("parameters", [0, 1, 3])
def test_every_line_of_a_program_is_read(parameters):
    draw = random.Random(parameters)
    for _ in range(40):
        inputs, w = ([Value(draw.uniform(0.25, 2)) for _ in range(k)] for k in (3, parameters))
        values = [*inputs, *w, Value(draw.uniform(0.25, 2))]
        for _ in range(draw.randint(1, 25)):
            op = draw.choice(ROWS)
            read = [draw.choice(values) for _ in range(arity(op))]
            if inside(op, [value.data for value in read]):
                made = apply(op, read)
                values += [made] if 1e-3 < abs(made.data) < 1e3 else []
        assert unread(replay(total(values[-6:]), inputs, w, backend="numpy").source) == []
