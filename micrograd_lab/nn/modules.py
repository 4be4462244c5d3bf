"""Neurons, layers and multi-layer perceptrons, with initial weights and the lecture's names.

A neuron records two nodes: its sum of products, Σ, and its activation.  Code for micrograd's
`Neuron`, `Layer` and `MLP` runs with these.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from ..calculus import dot
from ..context import Number
from ..engine import Value
from ..formulas import np
from ..ops import OPS
from ..replaying import replay
from ..rows import leaves, table
from ..tell.notation import preformatted, subscripted

Activate: TypeAlias = "Callable[[Value], Value] | None"
Activation: TypeAlias = "str | Activate"
Seed: TypeAlias = "int | random.Random | None"

_SHARED: random.Random = random.seed.__self__  # type: ignore[attr-defined]  # Python's own

if TYPE_CHECKING:

    class Outputs(Value, Sequence[Value]):
        """The outputs of a layer: the value of a single neuron, or a list of several."""


class Module:
    """Anything with parameters; a subclass lists them.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Value(2, "slope")
    ...
    ...     def parameters(self):
    ...         return [self.slope]
    >>> Line().state_dict()
    {'slope': 2.0}

    Attributes:
        classes: the names of the classes that it was fitted to, one per output, or two for one
            output; empty for a model of numbers.
    """

    classes: Sequence[Any] = ()

    def parameters(self) -> list[Value]:
        """The values that training moves."""
        return []

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, before the next `backward` adds to it."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def predict(self, inputs: Any) -> Any:
        """The outputs for each row of `inputs`, or its class, if the model was fitted to classes.

        Args:
            inputs: a row of numbers per sample: lists, an array, a frame or a tensor.

        Returns:
            An array with a number, a row of outputs or the name of a class for each row.

        Raises:
            ValueError: if a number is outside a domain, with the row.

        >>> model = MLP(2, [2, 2], activation="tanh", seed=1)
        >>> model.predict([[0.5, 1.0], [2.0, -1.0]]).round(2).tolist()
        [[0.03, -0.05], [-0.11, 0.31]]
        >>> model.classes = ["cat", "dog"]  # as `fit` does for such targets
        >>> model.predict([[0.5, 1.0], [2.0, -1.0]]).tolist()
        ['cat', 'dog']
        """
        model: Any = self  # a subclass can be called
        found = outputs(model, table(inputs, "input"))
        if len(self.classes):
            return np.array(self.classes)[decided(found)]
        return found[:, 0] if found.shape[1] == 1 else found

    def summary(self) -> Table:
        """A table of the layers: inputs and outputs, activation, and parameters.

        >>> MLP(2, [16, 1], activation="tanh").summary()
        layer    size  activation  parameters
            1  2 → 16        tanh          48
            2  16 → 1      linear          17
        total                              65
        """
        rows, others = [("layer", "size", "activation", "parameters")], set(self.parameters())
        for number, layer in enumerate(_layers(self), start=1):
            neuron, moved = layer.neurons[0], layer.parameters()
            size = f"{neuron.nin} → {len(layer.neurons)}"
            rows.append((str(number), size, _name(neuron.activation), str(len(moved))))
            others -= set(moved)
        if others:
            rows.append(("others", "", "", str(len(others))))
        rows.append(("total", "", "", str(len(self.parameters()))))
        return Table.of(rows)

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Each parameter with its label, plus its position where the label is missing or taken.

        >>> [name for name, parameter in Neuron(2).named_parameters()]
        ['w_1', 'w_2', 'w_0']
        """
        named: dict[str, Value] = {}
        for number, parameter in enumerate(self.parameters(), start=1):
            name = parameter.label or f"p{number}"
            named[f"{name} (p{number})" if name in named else name] = parameter
        return list(named.items())

    def state_dict(self) -> dict[str, float]:
        """The number of each parameter, by name."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set each parameter to the number under its name in `state`.

        Raises:
            ValueError: if a name is missing or unknown; then no parameter changes.
        """
        parameters = dict(self.named_parameters())
        for name in [*parameters, *state]:
            if name not in parameters or name not in state:
                first = f"{name} is {'missing' if name in parameters else 'unknown'}"
                raise ValueError(f"{len(state)} numbers for {len(parameters)} parameters: {first}")
        numbers = [Value(state[name]).data for name in parameters]
        for parameter, number in zip(parameters.values(), numbers):
            parameter.data = number

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self.parameters())} parameters"


class Table(str):
    """Text that a prompt shows as it is printed."""

    @classmethod
    def of(cls, rows: Sequence[tuple[str, ...]]) -> Table:
        """Rows of words, in columns that are wide enough."""
        widths = [max(map(len, column)) for column in zip(*rows)]
        return cls("\n".join("  ".join(map(str.rjust, row, widths)) for row in rows))

    def __repr__(self) -> str:
        return str(self)


class Neuron(Module):
    """Σ of weight times input plus bias, then an activation.

    Args:
        nin: number of inputs.
        nonlin: whether there is an activation at all.
        activation: the name of an operation of one input (such as "tanh" for `Value.tanh`), a
            function from value to value, or None for the sum itself.
        init: the distribution of the initial weights: "xavier_uniform", "xavier_normal",
            "he_uniform" or "he_normal"; or "uniform", from -1 to 1, with micrograd's numbers for
            the same seed.  By default He's normal for a rectifier, Xavier's uniform for the rest.
        mask: one entry per input; a false one cuts the link.
        seed: a number, or a `random.Random` to continue; by default Python's own generator.
        fan_out: number of neurons in its layer, for Xavier's rule.

    Attributes:
        w: the weights, one per link.
        b: the bias.
        links: the indices of the linked inputs, from 0.

    Source:
        Glorot and Bengio (2010), equation 16; He et al. (2015), equation 15.

    >>> neuron = Neuron(2, activation="sigmoid")
    >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.15, 0.2, 0.1
    >>> neuron([0.12, 0.3])
    Value(z: 0.544383, grad=0)
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: str | None = None,
        mask: Sequence[object] | None = None,
        seed: Seed = None,
        fan_out: int = 1,
    ) -> None:
        _check_sizes(nin, fan_out)
        if mask is not None and len(mask) != nin:
            raise ValueError(f"a mask of {len(mask)} entries for {nin} inputs; give one each")
        self.nin = nin
        self.links: list[int] = [i for i in range(nin) if mask is None or mask[i]]
        if not self.links:
            raise ValueError(f"the mask cuts all {nin} inputs; a neuron needs at least 1")
        known = _named(activation) if nonlin else None
        self.activation: Activation = known
        self._activate = getattr(Value, known) if isinstance(known, str) else known
        draw = _start(init, self._activate, len(self.links), fan_out, _generator(seed))
        self.w: list[Value] = [Value(draw()) for _ in self.links]
        self.b: Value = Value(0.0)
        self.name("a", "z")

    def __call__(self, inputs: Sequence[Number]) -> Value:
        if type(inputs) is not list or not inputs or not isinstance(inputs[0], Value):
            inputs = leaves(inputs, "x")
        if len(inputs) != self.nin:
            raise ValueError(
                f"{len(inputs)} inputs to a neuron with {self.nin}; give a row of {self.nin}, or "
                "for many samples a list of rows"
            )
        if len(self.links) < self.nin:
            inputs = [inputs[i] for i in self.links]
        summed = dot(self.w, inputs, self.b)
        summed.label = self._sum_name
        if self._activate is None:
            return summed
        activated = self._activate(summed)
        activated.label = self._name
        return activated

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def name(self, summed: str, activated: str, place: str = "", layer: str = "") -> None:
        """Label the parameters, and the sum and the output that the neuron will compute.

        `place` is its number in the layer, and `layer` the superscript of its parameters.
        """
        after = f",{place}" if place else ""
        for weight, link in zip(self.w, self.links):
            weight.label = subscripted("w", f"{link + 1}{after}") + layer
        self.b.label = subscripted("w", f"0{after}") + layer
        self._sum_name, self._name = summed, activated

    def __repr__(self) -> str:
        name = _name(self.activation)
        if isinstance(self.activation, str):
            name = OPS[name].symbol
        return f"{name if self.activation else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons side by side, with the same inputs.

    Args:
        nin: number of inputs.
        nout: number of neurons.
        nonlin, activation, init, seed: as for `Neuron`.
        mask: one row per neuron with one entry per input; a false one cuts the link.

    >>> Layer(2, 2, activation="sigmoid", mask=[[1, 1], [0, 1]]).parameters()[3].label
    'w_{2,2}'
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: str | None = None,
        mask: Sequence[Sequence[object]] | None = None,
        seed: Seed = None,
    ) -> None:
        _check_sizes(nin, nout)
        if mask is not None and len(mask) != nout:
            raise ValueError(f"a mask of {len(mask)} rows for {nout} neurons; give one each")
        seed = _generator(seed)
        self.neurons: list[Neuron] = [
            Neuron(nin, nonlin, activation=activation, init=init, mask=row, seed=seed, fan_out=nout)
            for row in ([None] * nout if mask is None else mask)
        ]
        self.name("a", "z")

    def __call__(self, inputs: Sequence[Number] | Number) -> Outputs:
        """The value of each neuron as a list; for a single neuron, the value itself."""
        values = leaves(inputs, "x")
        outputs: Any = [neuron(values) for neuron in self.neurons]
        return outputs[0] if len(self.neurons) == 1 else outputs  # type: ignore[no-any-return]

    def parameters(self) -> list[Value]:
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def name(self, summed: str, activated: str, superscript: str = "", layer: str = "") -> None:
        """Label the parameters, and, with `superscript`, the values that the neurons compute."""
        for j, neuron in enumerate(self.neurons, start=1):
            names = [subscripted(letter, j) + superscript for letter in (summed, activated)]
            neuron.name(names[0], names[1], str(j), layer)

    def __repr__(self) -> str:
        neuron, count = self.neurons[0], len(self.parameters())
        name = _name(neuron.activation)
        return f"Layer({neuron.nin}, {len(self.neurons)}) of {name}, {count} parameters"


class MLP(Module):
    """A multi-layer perceptron: each layer reads the outputs of the one before.

    Args:
        nin: number of inputs.
        nouts: number of neurons of each layer.
        activation: of the hidden layers, with a linear last layer; or one for each layer.
        init, seed: as for `Neuron`.
        masks: for each layer a mask as for `Layer`, or None.

    In layer l the weight from node i to node j is `w_{i,j}^{(l)}`, and the bias of node j is
    `w_{0,j}^{(l)}`.  Hidden nodes compute `a_j` and `z_j`, with the layer as a superscript if there
    are several hidden layers; output nodes compute `s_j` and, with an activation, `y_j`.

    >>> model = MLP(2, [2, 2], activation=["sigmoid", "sigmoid"])
    >>> [output.label for output in model([0.12, 0.3])]
    ['y_1', 'y_2']
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation | Sequence[Activation] = "relu",
        init: str | None = None,
        masks: Sequence[Sequence[Sequence[object]] | None] | None = None,
        seed: Seed = None,
    ) -> None:
        if not hasattr(nouts, "__len__") or not len(nouts):
            raise ValueError(f"layers of sizes {nouts!r}; give a list, as in MLP(2, [16, 16, 1])")
        if isinstance(activation, str) or not isinstance(activation, Sequence):
            activation = [activation] * (len(nouts) - 1) + [None]
        for name, entries in (("activations", activation), ("masks", masks)):
            if entries is not None and len(entries) != len(nouts):
                raise ValueError(f"{len(entries)} {name} for {len(nouts)} layers; give one each")
        seed = _generator(seed)
        masks = [None] * len(nouts) if masks is None else masks
        self.layers: list[Layer] = [
            Layer(before, nout, activation=function, init=init, mask=mask, seed=seed)
            for before, nout, function, mask in zip([nin, *nouts], nouts, activation, masks)
        ]
        for number, layer in enumerate(self.layers, start=1):
            place = f"^{{({number})}}"
            if number == len(nouts):
                layer.name("s", "y", "", place)
            else:  # the lecture's network has one hidden layer: a_1, z_1
                layer.name("a", "z", place if len(nouts) > 2 else "", place)

    def __call__(self, inputs: Sequence[Number] | Number) -> Outputs:
        """The value of each output neuron as a list; for a single one, the value itself."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs  # type: ignore[return-value]

    def parameters(self) -> list[Value]:
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        sizes = [len(layer.neurons) for layer in self.layers]
        kinds = ", ".join(_name(layer.neurons[0].activation) for layer in self.layers)
        count = len(self.parameters())
        return f"MLP({self.layers[0].neurons[0].nin}, {sizes}) of {kinds}, {count} parameters"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """The network view, below the table of the layers."""
        from ..drawing import draw_network

        shown = draw_network(self)._repr_mimebundle_()
        html = preformatted(self.summary()) + shown["text/html"]
        return shown | {"text/html": html, "text/plain": repr(self)}


def outputs(model: Callable[[Any], Any], rows: Any) -> Any:
    """The numbers of the outputs: one row per row of numbers, an array."""
    if not rows.size:
        raise ValueError(f"{len(rows)} inputs; give at least 1, with numbers in it")
    return replay(lambda *x: model([*x]), leaves(rows[0], "x"), []).outputs(rows)


def decided(outputs: Any) -> Any:
    """The class of each row, from 0: its largest output; of one output, whether it is above 0."""
    return (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def _name(activation: Activation) -> str:
    if callable(activation):
        return getattr(activation, "__name__", "f").replace("<lambda>", "f")
    return activation or "linear"


def _named(activation: Activation) -> Activation:
    """The activation's name in the table, if it has one; None for a linear neuron."""
    if callable(activation):
        name = getattr(activation, "__name__", "")
        activation = name if getattr(Value, name, None) is activation else activation
    if activation is None or callable(activation):
        return activation
    if activation in ("linear", "identity"):
        return None
    names = [op.name for op in OPS.values() if op.unary]
    if activation not in names:
        raise ValueError(f"no activation {activation!r}; there are linear, {', '.join(names)}")
    return activation


def _start(
    init: str | None, activate: Activate, fan_in: int, fan_out: int, generator: random.Random
) -> Callable[[], float]:
    """A function that draws an initial weight."""
    left, right = _slope(activate, -50.0), _slope(activate, 50.0)
    rectifier = abs(left) < 1 and abs(right - 1) < 1e-9
    init = init or ("he_normal" if rectifier else "xavier_uniform")
    if init == "uniform":
        return partial(generator.uniform, -1.0, 1.0)
    kind, _, shape = init.partition("_")
    if kind not in ("he", "xavier") or shape not in ("uniform", "normal"):
        raise ValueError(
            f"no init {init!r}; there are xavier_uniform, xavier_normal, he_uniform, he_normal, "
            "uniform"
        )
    fans = fan_in + fan_out if kind == "xavier" else (1 + left**2 if rectifier else 1) * fan_in
    deviation = math.sqrt(2 / fans)
    if shape == "normal":
        return partial(generator.gauss, 0, deviation)
    return partial(generator.uniform, -math.sqrt(3) * deviation, math.sqrt(3) * deviation)


def _slope(activate: Activate, at: float) -> float:
    """The slope of an activation at a point; NaN outside its domain."""
    if activate is None:
        return 1.0
    x = Value(at)
    try:
        result: object = activate(x)
        if not isinstance(result, Value):
            name = getattr(activate, "__name__", "the activation")
            raise TypeError(
                f"{name} returned {type(result).__name__} {result!r:.60}, no Value; a function of "
                'math cuts the graph: name the operation, activation="tanh", or write v.tanh()'
            )
        result.backward()
    except (ArithmeticError, ValueError):
        return math.nan
    return x.grad


def _generator(seed: Seed) -> random.Random:
    if isinstance(seed, random.Random):
        return seed
    return _SHARED if seed is None else random.Random(seed)


def _layers(part: object) -> list[Layer]:
    """The layers in a module, in a list of modules, or in the attributes of any other module."""
    if isinstance(part, Layer):
        return [part]
    inside = part if isinstance(part, list | tuple) else vars(part).values()
    return [layer for x in inside if isinstance(x, Module | list | tuple) for layer in _layers(x)]


def _check_sizes(nin: int, nout: int) -> None:
    if not (type(nin) is type(nout) is int and nin > 0 and nout > 0):
        raise ValueError(f"{nin!r} inputs and {nout!r} neurons; each is a whole number from 1")
