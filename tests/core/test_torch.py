"""The engine against PyTorch float64, over the op table and over random graphs."""

import itertools
import math
import random
from functools import partial

import pytest
from table import OPERATORS, ROWS, apply, arity, points, title

from micrograd_lab import Value, ieee, logsumexp, maximum, minimum

torch = pytest.importorskip("torch")

BY_TORCH = {
    "sum": lambda *x: torch.stack(x).sum(),
    "dot": lambda *x: torch.stack(x[:2]) @ torch.stack(x[2:4]) + x[4],
    "take": lambda i, *x: torch.stack(x)[i.long()] + 0 * i,
    "pow_scalar": torch.pow,
    "half_square": lambda x: x * x / 2,
    "step": lambda x: torch.heaviside(x.detach(), torch.ones_like(x)) + 0 * x,
    "identity": lambda x: x + 0,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "softplus": torch.nn.functional.softplus,
    "logaddexp": torch.logaddexp,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": partial(torch.nn.functional.gelu, approximate="tanh"),
    "elu": torch.nn.functional.elu,
    "clip": torch.clamp,
    "where": lambda c, a, b: torch.where(c > 0, a, b) + 0 * c.nan_to_num(0, 0, 0),
}

# at NaN: NaN for us; for torch 1, the slope, 1, 0, 1, 1, and those of one branch
NAN_SLOPES_DIFFER = {"relu", "leaky_relu", "elu", "abs", "maximum", "minimum", "clip", "where"}


def loses_a_gradient(op, at):
    """Whether torch hands no gradient to a bound, where both bounds are one number."""
    return op.name == "clip" and at[0] < at[1] == at[2]


def apply_torch(op, tensors):
    function = BY_TORCH.get(op.name) or OPERATORS.get(op.name) or getattr(torch, op.name)
    return function(*tensors, *([] if op.n is None else [op.n]))


def both(op, at):
    """Our [value, gradients] and torch's at the numbers `at`."""
    values = [Value(x) for x in at]
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
    ours, theirs = apply(op, values), apply_torch(op, tensors)
    ours.backward()
    theirs.backward()
    return [ours.data, *(v.grad for v in values)], [
        theirs.item(),
        *(t.grad.item() for t in tensors),
    ]


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_a_row_agrees_with_torch(op):
    for at in points(op):
        ours, theirs = both(op, at)
        assert ours == pytest.approx(theirs, rel=2e-12, abs=1e-300), at  # torch rounds 1 - tanh²


@pytest.mark.parametrize(
    "op", [op for op in ROWS if not op.variadic and op.name != "step"], ids=title
)
def test_inside_ieee_a_row_gives_what_torch_gives_anywhere(op):
    special = (math.nan, math.inf, -math.inf, 0.0, 1e308, -1.0, 1e-320, 800.0, -800.0, 2.0)
    places = [(x,) for x in special]
    if arity(op) > 1:
        places = [*itertools.product(special, repeat=arity(op))]
    for at in places:
        if any(map(math.isnan, at)) and op.name in NAN_SLOPES_DIFFER:
            continue
        if loses_a_gradient(op, at):
            continue
        if (op.n or at[-1]) in (0.5, -0.5) and at[0] < 0:
            continue  # torch takes a square root, NaN at -infinity; pow gives infinity
        with ieee():
            ours, theirs = both(op, at)
        for mine, yours in zip(ours, theirs, strict=True):
            same = mine == yours or (math.isnan(mine) and math.isnan(yours))
            assert same or math.isclose(mine, yours, rel_tol=1e-12), (at, ours, theirs)


@pytest.mark.parametrize("seed", range(5))
def test_the_functions_of_several_values_agree_with_torch(seed):
    drawn = random.Random(seed)
    at = [drawn.uniform(-50, 50) for _ in range(7)]
    tensor = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    for ours, theirs in (
        (logsumexp, torch.logsumexp(tensor, 0)),
        (lambda values: maximum(*values), tensor.amax()),
        (lambda values: minimum(*values), tensor.amin()),
    ):
        values, tensor.grad = [Value(x) for x in at], None
        result = ours(values)
        result.backward(3.0)
        theirs.backward(torch.tensor(3.0, dtype=torch.float64))
        assert result.data == pytest.approx(theirs.item(), rel=1e-14)
        assert [v.grad for v in values] == pytest.approx(tensor.grad.tolist(), rel=1e-12)


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_agree_with_torch(seed):
    drawn = random.Random(seed)
    at = [drawn.uniform(-1.5, 1.5) for _ in range(4)]
    ours = [Value(x) for x in at]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
    leaves = list(zip(ours, theirs))
    for _ in range(drawn.randint(5, 60)):
        op = drawn.choice([op for op in ROWS if op.name != "take"])  # whose index is whole
        chosen = [drawn.randrange(len(ours)) for _ in range(arity(op))]
        if loses_a_gradient(op, [ours[i].data for i in chosen]):
            continue
        try:
            value = apply(op, [ours[i] for i in chosen])
        except ValueError:
            continue  # outside the domain; draw again
        if abs(value.data) > 1e3:
            continue
        ours.append(value)
        theirs.append(apply_torch(op, [theirs[i] for i in chosen]))
    result = sum(ours[4:], start=ours[0])
    result.backward()
    sum(theirs[4:], start=theirs[0]).backward()
    scale = max(abs(v.grad) for v, _ in leaves) or 1.0
    for value, tensor in leaves:
        grad = 0.0 if tensor.grad is None else tensor.grad.item()
        assert abs(value.grad - grad) <= 1e-11 * scale
