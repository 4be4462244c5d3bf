"""Values as micrograd, its lecture and microgpt spell them, and nodes of a program's own.

`Value(data, inputs, slopes)` is a node whose local derivatives the program gives, as in microgpt,
and `Value(data, inputs, "op")` one to which it assigns micrograd's `out._backward`, a function that
hands the gradient on.  Both are differentiated and drawn as what they are.  They have no formula,
so what needs one, such as a replay or another number for a leaf, refuses them by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from .guards import aside, set_aside
from .ops import Op


class Given(Op):
    """An operation of a program's own: a name, and a slope for each of its inputs."""

    def __init__(self, name: str, inputs: int) -> None:
        letters = "xyz"[:inputs] if inputs < 4 else [f"x{i}" for i in range(4)]
        call = f"own({', '.join([*letters, *['dots'] * (inputs > 4)])})"
        slopes = tuple(f"slope{i}" for i in range(inputs))  # numbers that only the node knows
        vars(self).update(name=name, symbol=name, partials=slopes, textbook=(call, *slopes))

    @property
    def formula(self) -> str:
        raise TypeError(
            f"{self.name} is an operation of the program's own: it has no formula to compute it at "
            'other numbers or to replay it; fit with engine="scalar"'
        )

    variadic = False

    def __reduce__(self) -> tuple[Any, ...]:
        return given, (self.name, len(self.partials))


@lru_cache(maxsize=1024)
def given(name: str, inputs: int) -> Given:
    """The operation of a program that is called `name` and has so many inputs."""
    return Given(name, inputs)


class Spellings:
    """What programs written for micrograd and microgpt read of a value, or keep on it."""

    __slots__ = ()

    _prev = property(lambda self: {*self.inputs})
    _children = property(attrgetter("inputs"))
    _local_grads = property(attrgetter("slopes"))

    def __int__(self: Any) -> int:
        return int(float(self))  # which writes down that it was read

    def __round__(self: Any, digits: int | None = None) -> Any:
        return round(float(self), digits)

    __trunc__ = __int__

    def __pos__(self: Any) -> Any:
        return self

    def __format__(self: Any, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __repr__(self: Any) -> str:
        label = f"{self.label}: " if self.label else ""
        digits = ".6g" * isinstance(self.grad, (int, float))  # a program may set it to None
        return f"Value({label}{self.data:.6g}, grad={self.grad:{digits}})"

    @property
    def _op(self: Any) -> str:
        """An operator's sign in Python, for other rows their symbol; empty for a leaf."""
        if self.op is None or isinstance(self.op, Given):
            return self.op.name if self.op else ""
        if sign := re.fullmatch(r"x (\S) y", self.op.formula):
            return sign[1]
        power = "**" if self.op.n is None else f"**{self.op.n:g}"
        return power if self.op.formula.startswith("pow(") else str(self.op.symbol)


def _state(name: str) -> property:
    """What an optimizer keeps on a parameter, which takes no place until then."""

    def read(self: Any) -> Any:
        if name in (notes := aside(self)):
            return notes[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    return property(read, lambda self, kept: set_aside(self, **{name: kept}))


for _name in ("m", "v", "velocity", "momentum"):
    setattr(Spellings, _name, _state(_name))


def node_of(
    children: Any, how: Any, label: Any, _children: Any = (), _op: str = "", local_grads: Any = None
) -> tuple[str, Op | None, tuple[Any, ...], tuple[float, ...]]:
    """The label, operation, inputs and slopes of a node that a program makes by `Value(...)`."""
    if not isinstance(children, Iterable) or not isinstance(label, str):
        label = children if isinstance(label, str) else label
        raise TypeError(f"a label is text, not {type(label).__name__} {label!r:.60}")
    inputs = (*children, *_children)
    for x in inputs:
        if not isinstance(x, Spellings):
            raise TypeError(f"the inputs of a node are values, not {type(x).__name__} {x!r:.60}")
    name, slopes = (how, ()) if isinstance(how, str) else (_op, how or ())
    slopes = (*map(float, slopes if local_grads is None else local_grads),)
    if not slopes:
        inputs = (*dict.fromkeys(inputs),)  # a set for micrograd: each is handed its part once
    elif len(slopes) != len(inputs):
        raise ValueError(f"{len(inputs)} inputs but {len(slopes)} slopes; give one slope each")
    op = given(name or _op or "given", len(inputs)) if inputs else None
    return label, op, inputs, slopes


def kind_of(inputs: Iterable[Any]) -> Any:
    """The class of what is computed from `inputs`: that of a subclass, if one of them has it."""
    return max(map(type, inputs), key=lambda kind: len(kind.__mro__), default=None)


def own_backward(propagate: Callable[[tuple[Any]], None]) -> property:
    """micrograd's `_backward`: a function that hands a node's gradient on to its inputs."""

    def read(self: Any) -> Callable[[], None]:
        return aside(self).get("backward") or partial(propagate, (self,))

    def assign(self: Any, function: Callable[[], None]) -> None:
        if self.slopes or not isinstance(self.op, Given):
            raise AttributeError(f"the slopes of {self!r} are known; its _backward stays as it is")
        set_aside(self, backward=function)

    return property(read, assign)


def ready(nodes: Iterable[Any]) -> None:
    """Raise an error if a gradient that reaches one of `nodes` would end there."""
    for node in nodes if given.cache_info().currsize else ():
        if node.inputs and not node.slopes and not aside(node).get("backward"):
            raise ValueError(
                f"{node.op.name}, here {node!r}, has no slopes and hands nothing on; give them, "
                "Value(data, inputs, slopes), or assign a function, its _backward"
            )


def settle(nodes: Iterable[Any]) -> None:
    """Measure the slopes of nodes that have a `_backward` instead, to show or to copy them."""
    for node in nodes if given.cache_info().currsize else ():
        if own := aside(node).get("backward"):
            values = (node, *node.inputs)
            before, found = [x.grad for x in values], []
            try:
                for upstream in (1.0, -1024.0, 1024.0):  # slopes scale exactly by powers of two
                    for x, grad in zip(values, [upstream, *[0.0] * len(node.inputs)]):
                        x.grad = grad
                    own()
                    found.append(tuple(x.grad / upstream for x in node.inputs))
            finally:
                for x, grad in zip(values, before):
                    x.grad = grad
            if any(min(shares) < max(shares) for shares in zip(*found)):
                raise ValueError(f"{node.op.name} has no slopes: its _backward bends the gradient")
            node.slopes = found[0]
            set_aside(node, backward=None)
