"""Graphs that several tests draw, with their gradients."""

from micrograd_lab import Value, cross_entropy
from micrograd_lab.nn import MLP


def after_backward(result, label):
    result.label = label
    result.backward()
    return result


def folded():
    y = MLP(2, [16, 16, 1], seed=1)([0.5, -0.3])
    return after_backward((y - 1) ** 2, "L")


def classifier(label):
    loss = cross_entropy(MLP(3, [3], activation="linear", seed=2)([0.2, 0.3, 0.4]), [0, 1, 0])
    return after_backward(loss, label)


def copies():
    x, y = Value(2.0, "x"), Value(0.5, "y")
    f = (x * y).exp() + x**3
    for _ in range(6):
        f = f - x / y
    return after_backward(f, r"\hat{y}_1")
