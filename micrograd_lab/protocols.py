"""What other programs expect of a value: Python, NumPy, pickle, micrograd and microgpt.

Operators and ufuncs are rows of the table.  `Value(data, inputs, slopes)` is a node whose local
derivatives the program gives, as in microgpt, and `Value(data, inputs, "op")` one to which it
assigns micrograd's `out._backward`, a function that hands the gradient on.  Both are differentiated
and drawn as what they are; they have no formula, so what needs one refuses them by name.

In copies and pickles what is shared stays shared, and nothing recurses: see `Snapshot`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any
from weakref import WeakValueDictionary

from .context import aside, comparison, needed, set_aside
from .formulas import np
from .ops import OPS, Op

_SIGNS = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div"}
_UFUNCS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "power": operator.pow, "negative": operator.neg,
    "positive": operator.pos, "absolute": operator.abs, "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x, "greater": operator.gt, "greater_equal": operator.ge,
    "less": operator.lt, "less_equal": operator.le, "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip


def operators(
    value: type, method: Callable[[Op], Callable[..., Any]], operand: Callable[[Any], Any]
) -> dict[str, Callable[..., Any]]:
    """What Python and NumPy call for an operator or a ufunc of `value`s, by its name.

    `operand` makes a value of what an operator is given; None of what is no number.
    """
    power = method(OPS["pow"])

    def reflected(name: str) -> Callable[[Any, Any], Any]:
        """`other ∘ value` for an `other` that is not a value."""
        forward = method(OPS[name])
        return lambda x, y: NotImplemented if (y := operand(y)) is None else forward(y, x)

    radd = reflected("add")

    def __radd__(self: Any, other: Any) -> Any:
        starts = type(other) is int and other == 0  # where Python's sum() of some values does
        return self if starts else radd(self, other)

    def __pow__(self: Any, exponent: Any) -> Any:
        if isinstance(exponent, value):
            return power(self, exponent)
        try:
            return self.pow_scalar(exponent)
        except TypeError:
            return NotImplemented

    def __array_ufunc__(self: Any, ufunc: Any, how: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__  # arrays of objects know Python's operators, and call methods
        forward, row = _UFUNCS.get(name), OPS.get(name)
        if forward and isinstance(inputs[0], np.generic) and how == "__call__" and not options:
            return forward(value(inputs[0]), inputs[1])  # a scalar on the left: no arrays at all
        if forward is None and (row is None or row.variadic):
            raise TypeError(f"np.{name} is no row of the table of operations of a value")
        if forward is None and row and not row.unary:
            f = method(row)
            ufunc = np.frompyfunc(lambda x, y: f(x if isinstance(x, value) else value(x), y), 2, 1)
        arrays = map(np.asarray, inputs)  # as objects, an array's numbers are Python's
        boxed = (x if x.dtype == object else x.astype(float, casting="same_kind") for x in arrays)
        return getattr(ufunc, how)(*(x.astype(object) for x in boxed), **options)

    found = {f"__{sign}__": method(OPS[name]) for sign, name in _SIGNS.items()}
    for sign, name in {**_SIGNS, "pow": "pow"}.items():
        found[f"__r{sign}__"] = reflected(name)
    found |= {f"__{sign}__": comparison(sign, operand) for sign in ("lt", "le", "gt", "ge")}
    found |= {"__neg__": method(OPS["neg"]), "__abs__": method(OPS["abs"]), "__radd__": __radd__}
    return found | {"__pow__": __pow__, "__array_ufunc__": __array_ufunc__}


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


# the snapshot that holds a value, by its serial number, as long as a pickle or copy is made of it
_holders: WeakValueDictionary[int, Snapshot] = WeakValueDictionary()


@dataclass(eq=False)
class Snapshot:
    """Values as rows, inputs before what is computed from them.

    A value is pickled as a place in a snapshot of what it was computed from.  Values that are
    pickled together share them: each snapshot holds only what no earlier one does.  A row has the
    inputs of a value, its class, and what `record` makes it of: data, op, slopes, grad and label.
    An input is the number of a row, or a value in another snapshot.
    """

    record: Callable[..., Any]
    rows: list[tuple[Any, ...]]
    # what is set aside for a row, and the attributes that a subclass has there
    notes: dict[int, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)  # serial number -> row
    _values: list[Any] = field(default_factory=list)

    def value(self, i: int) -> Any:
        """The value in row `i`; all are made when the first is asked for."""
        for inputs, kind, data, op, *rest in [] if self._values else self.rows:
            read = [self._values[x] if type(x) is int else x for x in inputs]
            self._values.append(_of_kind(self.record(data, op, (*read,), *rest), kind))
        return self._values[i]

    def __setstate__(self, notes: dict[int, tuple[dict[str, Any], dict[str, Any]]]) -> None:
        self.notes = notes  # after all that was computed: they may hold values of this snapshot
        for i, (noted, attributes) in notes.items():
            value = self.value(i)
            if "moved" in noted:
                noted["moved"] = self.record(0.0, None, (), ()).serial
            _set_notes(value, noted, attributes)

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (self.record, self.rows), self.notes or None

    def __deepcopy__(self, memo: dict[int, Any]) -> Snapshot:
        rows = [(deepcopy(inputs, memo), *rest) for inputs, *rest in self.rows]
        again = memo[id(self)] = Snapshot(self.record, rows)
        again.__setstate__(deepcopy(self.notes, memo))
        return again


def copying(record: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How `copy` makes a value again; and how `pickle` and `deepcopy` do: a function, arguments."""

    def __copy__(self: Any) -> Any:
        settle((self,))
        again = record(self.data, self.op, self.inputs, self.slopes, self.grad, self.label)
        again = _of_kind(again, type(self))
        _set_notes(again, aside(self), getattr(self, "__dict__", {}))
        return again

    def __reduce__(self: Any) -> tuple[Any, ...]:
        holder = _holders.get(self.serial) or _held(self, record)
        return Snapshot.value, (holder, holder.places[self.serial])

    return __copy__, __reduce__


def _of_kind(value: Any, kind: type) -> Any:
    """`value`, just recorded, as an instance of its class or of a subclass of that."""
    again = value if type(value) is kind else object.__new__(kind)
    for name in ("_data", "grad", "op", "inputs", "slopes", "label", "serial"):
        setattr(again, name, getattr(value, name))
    return again


def _set_notes(value: Any, noted: dict[str, Any], attributes: dict[str, Any]) -> None:
    for name, thing in ({"aside": noted} | attributes).items():
        setattr(value, name, thing)


def _held(value: Any, record: Callable[..., Any]) -> Snapshot:
    """A snapshot of what `value` was computed from, as far as no other holds it."""
    fresh = sorted(needed(value, _holders), key=attrgetter("serial"))
    settle(fresh)
    holder = Snapshot(record, [], places={node.serial: i for i, node in enumerate(fresh)})
    for i, node in enumerate(fresh):
        inputs = tuple([holder.places.get(x.serial, x) for x in node.inputs])
        made_of = node.data, node.op, node.slopes, node.grad, node.label
        holder.rows.append((inputs, type(node), *made_of))
        if any(notes := (aside(node), getattr(node, "__dict__", {}))):
            holder.notes[i] = notes
    _holders.update(dict.fromkeys(holder.places, holder))
    return holder
