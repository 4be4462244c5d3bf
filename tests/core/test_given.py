import copy
import gc
import math
import pickle

import pytest
from table import ROWS, apply, arity, forked, title

from micrograd_lab import (
    MLP,
    SGD,
    Graph,
    Value,
    backward_steps,
    check_gradient,
    dot,
    draw,
    explain,
    fit,
    forward_steps,
    maximum,
    replay,
    step,
)
from micrograd_lab.engine import recorded
from micrograd_lab.ops import OPS


class W(Value):
    """A subclass, whose values have room for attributes."""


def by_slopes():
    """y = 3 · log(max(x, ε)), with a node of the program's own."""
    x = Value(2.0, "x")
    safe = Value(math.log(2.0), (x,), (0.5,))
    return x, safe, safe * 3


def by_backward(data=2.0):
    """y = 3x², with a node as micrograd's operations make them."""
    x = Value(data, "x")
    square = Value(x.data**2, (x,), "square")

    def _backward():
        x.grad += 2 * x.data * square.grad

    square._backward = _backward
    return x, square, square * 3


# nodes of a program's own


def test_a_node_with_given_slopes_hands_its_gradient_on():
    x, safe, y = by_slopes()
    y.backward()
    assert (safe.inputs, safe.slopes, x.grad) == ((x,), (0.5,), 1.5)


def test_a_node_with_its_own_backward_hands_its_gradient_on():
    x, square, y = by_backward()
    y.backward()
    y.backward()
    assert (square.grad, x.grad) == (3.0, 24.0)


def test_the_keywords_of_micrograd_and_microgpt_are_known():
    x = Value(2.0)
    ways = [
        Value(4.0, (x,), (4.0,)),
        Value(4.0, [x], [4]),
        Value(4.0, children=(x,), local_grads=(4.0,)),
        Value(4.0, _children=(x,), _op="square", local_grads=(4.0,)),
    ]
    assert [(node.inputs, node.slopes, node._op) for node in ways] == [
        ((x,), (4.0,), "given")
    ] * 3 + [((x,), (4.0,), "square")]
    assert Value(4.0, _children=(x,), _op="square", label="y").label == "y"


@pytest.mark.parametrize("nothing", [(), [], ""], ids=repr)
def test_a_node_without_inputs_is_a_leaf(nothing):
    leaf = Value(1.0, nothing, "", "a")
    assert (leaf.op, leaf.inputs, leaf.label) == (None, (), "a")


def test_inputs_and_slopes_are_as_many():
    with pytest.raises(ValueError, match="2 inputs but 1 slopes; give one slope each"):
        Value(1.0, (Value(1.0), Value(2.0)), (1.0,))


def test_an_unknown_keyword_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'children_'"):
        Value(1.0, children_=())


def test_one_input_twice_is_handed_its_part_once():
    x = Value(3.0)
    out = Value(9.0, (x, x), "*")

    def _backward():
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    out.backward()
    assert (out.inputs, x.grad) == ((x,), 6.0)


def test_without_a_backward_it_refuses_before_any_gradient_changes():
    x = Value(2.0)
    y = Value(4.0, (x,), "square") + x
    with pytest.raises(ValueError, match=r"square, here Value\(4, grad=0\), has no slopes"):
        y.backward()
    assert x.grad == 0.0


def test_what_the_table_computed_keeps_its_backward():
    for value in (Value(1.0), Value(1.0) * 2, by_slopes()[1]):
        with pytest.raises(AttributeError, match="its _backward stays as it is"):
            value._backward = print


@pytest.mark.parametrize("made", [by_slopes, by_backward])
def test_it_is_drawn_stepped_and_explained_as_what_it_is(made):
    x, node, y = made()
    name = node.op.name
    y.backward()
    forward = [str(line) for line in forward_steps(y)]
    assert forward[0] == f"v2 = {name}(x) = {name}(2) = {forward[0].rpartition(' ')[2]}"
    assert f"∂v4/∂x += 3 × {x.grad / 3:.3g}" in "\n".join(map(str, backward_steps(y))).replace(
        "0.500", "0.5"
    )
    derivation = str(explain(y, x))
    assert f"as v2 = {name}(x) = {name}(2) = " in derivation
    assert f"no check by a difference: {name} is an operation of the program's own" in derivation
    assert f">{name}<" in draw(y).source.replace("</B>", "<")
    assert f"{name}(" in step(y).html


def test_a_node_of_many_inputs_is_cut_off_in_a_line():
    values = [Value(float(i), f"x_{i}") for i in range(6)]
    node = Value(15.0, values, (1.0,) * 6)
    (line,) = forward_steps(node)
    assert line.text.symbols == "given(x_0, x_1, x_2, x_3, …)"


def test_a_name_may_be_anything():
    x = Value(2.0, "x")
    node = Value(4.0, (x,), r"x_1 & <b>\input{y}")
    assert r"\input" not in next(forward_steps(node)).latex.symbols
    assert "<b>" not in next(forward_steps(node)).html.symbols
    assert "<b>" not in step(node).html


@pytest.mark.parametrize("made", [by_slopes, by_backward])
def test_what_needs_a_formula_refuses_it_by_name(made):
    x, node, y = made()
    says = f"{node.op.name} is an operation of the program's own: it has no formula"
    for use in (
        lambda: Graph(y).evaluate({x: 1.0}),
        lambda: check_gradient(y),
        lambda: replay(y, [x], []),
        lambda: replay(y, [], [x], backend="python"),
    ):
        with pytest.raises(TypeError, match=says):
            use()
    x.data = 3.0
    for show in (draw, step, lambda y: explain(y, x), lambda y: [*forward_steps(y)]):
        with pytest.raises(TypeError, match=says):
            show(y)


def test_a_loss_with_a_node_of_its_own_is_learned_by_the_scalar_engine():
    def squared(y, t):
        d = y - t
        return Value(d.data**2, (d,), (2 * d.data,))

    samples, targets = [[0.0], [1.0], [2.0]], [1.0, 2.0, 3.0]
    model = MLP(1, [1], seed=1)
    descent = SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match=r'given is an operation.*fit with engine="scalar"'):
        fit(model, samples, targets, loss=squared, optimizer=descent, epochs=1, progress=False)
    history = fit(
        model, samples, targets, loss=squared, optimizer=descent, epochs=99, progress=False,
        engine="scalar",
    )  # fmt: skip
    assert history.loss[-1] < 1e-4


def test_a_backward_that_bends_the_gradient_runs_but_is_not_shown():
    x = Value(2.0)
    node = Value(2.0, (x,), "clipped")

    def _backward():
        x.grad += min(node.grad, 1.0)

    node._backward = _backward
    (node * 5).backward()
    assert x.grad == 1.0
    with pytest.raises(ValueError, match="clipped has no slopes: its _backward bends"):
        draw(node * 5)
    assert (x.grad, node.grad) == (1.0, 5.0)


@pytest.mark.parametrize("made", [by_slopes, by_backward])
def test_copies_of_it_are_whole(made):
    _, node, y = made()
    for again in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        again.backward()
        x, twin, *_ = recorded(again)
        assert (twin.op.name, twin.slopes) == (node.op.name, node.slopes)
        assert x.grad == 3 * node.slopes[0]


def test_a_node_with_slopes_makes_no_cycle():
    gc.collect()
    _, _, y = by_slopes()
    y.backward()
    del y
    assert gc.collect() == 0


# micrograd's names


def test_the_inputs_of_a_value_are_a_set_for_micrograd():
    a, b = Value(2.0), Value(3.0)
    assert (a * b)._prev == {a, b}
    assert (a * a)._prev == {a}
    assert a._prev == set()
    assert ((a * b)._children, (a * b)._local_grads) == ((a, b), (3.0, 2.0))


def test_an_operation_is_called_by_its_sign():
    x, y = Value(2.0), Value(3.0)
    made = [x + y, x - y, x * y, x / y, x**2, x**-0.5, x**y, x.relu(), x.tanh(), x.exp(), x]
    assert [value._op for value in made] == [
        "+", "-", "*", "/", "**2", "**-0.5", "**", "ReLU", "tanh", "exp", "",
    ]  # fmt: skip


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_every_row_has_a_name_for_micrograd(op):
    assert apply(op, [Value(1.0) for _ in range(arity(op))])._op


def test_the_backward_of_each_node_by_hand_is_that_of_the_whole():
    by_hand, at_once = forked(), forked()
    at_once.backward()
    by_hand.grad = 1.0
    for node in reversed(recorded(by_hand)):
        node._backward()
    assert [v.grad for v in recorded(by_hand)] == [v.grad for v in recorded(at_once)]


@pytest.mark.parametrize("name", ["m", "v", "velocity", "momentum"])
def test_an_optimizer_keeps_its_state_on_a_value(name):
    p = Value(2.0, "p")
    assert not hasattr(p, name)
    setattr(p, name, 0.0)
    setattr(p, name, 0.9 * getattr(p, name) + 1.0)
    for again in (p, copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert getattr(again, name) == 1.0


# subclasses


MADE = {
    "w * w": lambda w: w * w,
    "w * 2": lambda w: w * 2,
    "2 - w": lambda w: 2 - w,
    "2 ** w": lambda w: 2**w,
    "w ** 2": lambda w: w**2,
    "-w": lambda w: -w,
    "tanh": lambda w: w.tanh(),
    "value + w": lambda w: Value(1) + w,
    "w / value": lambda w: w / Value(2),
    "dot": lambda w: dot([Value(1.0)], [w]),
    "maximum": lambda w: maximum(0, w),
    "sum": lambda w: sum([w, w]),
    "given": lambda w: W(1.0, (w,), (1.0,)),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_operators_keep_a_subclass(made):
    result = made(W(3.0))
    assert type(result) is W
    result.backward()
    assert type(Value(1.0) * 2) is Value


def test_an_operator_that_a_subclass_overrides_keeps_it_too():
    class Counted(Value):
        def __mul__(self, other):
            result = super().__mul__(other)
            result.products = getattr(self, "products", 0) + 1
            return result

    assert (Counted(2.0) * 3 * 4).products == 2


def test_copies_keep_a_subclass_and_its_attributes():
    w = W(2.0, "w")
    w.itself, w.tag = w, ["kept"]
    for again in (copy.copy(w), *copy.deepcopy(w * 3)._prev, *recorded(copy.deepcopy(w * 3))[:1]):
        if again.label:
            assert (type(again), again.tag, again.label) == (W, ["kept"], "w")
    again, product = pickle.loads(pickle.dumps((w, w * 3)))
    assert (type(again), type(product)) == (W, W)
    assert again.itself is again
    assert product.inputs[0] is again


def test_no_row_of_the_table_calls_a_program_s_own_operation():
    assert not any("own(" in op.formula for op in OPS.values())


def test_a_pickle_remembers_what_has_moved():
    x = Value(2.0, "x")
    y = x * 3
    x.data = 5.0
    for again in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert Graph.at_present(again).notes == [
            "x has moved since this was recorded; shown at its present number"
        ]
