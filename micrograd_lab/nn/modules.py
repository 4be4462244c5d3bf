"""Neurons, layers and multi-layer perceptrons, with starting weights and the lecture's names.

    >>> model = MLP(2, [16, 16, 1], seed=7)  # ReLU inside, linear last
    >>> score = model([0.12, 0.3])
    >>> score.backward()
    >>> len(model.parameters()), model.parameters()[0].label
    (337, 'w_{1,1}^{(1)}')

A neuron records two nodes: its sum of products, Σ, and its activation.  Code written for
micrograd's `Neuron`, `Layer` and `MLP` runs with these.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..calculus import dot
from ..domain import Number
from ..engine import Value
from ..ops import OPS
from ..tell.notation import subscripted

Activation: TypeAlias = "str | Callable[[Value], Value] | None"
Seed: TypeAlias = "int | random.Random | None"

if TYPE_CHECKING:

    class Outputs(Value, Sequence[Value]):
        """What a layer computes: the value of a single neuron, a list of several."""


class Module:
    """Something with parameters; subclasses say which.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Value(2, "slope")
    ...
    ...     def parameters(self):
    ...         return [self.slope]
    >>> Line().state_dict()
    {'slope': 2.0}
    """

    def parameters(self) -> list[Value]:
        """The values that training moves."""
        return []

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, before the next `backward` adds to it."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Each parameter with its label; where that is missing or taken, with its position too.

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
        """Give each parameter the number that `state` has under its name.

        Raises:
            ValueError: if a name is missing or unknown; no parameter has changed then.
        """
        named = dict(self.named_parameters())
        missing = [name for name in named if name not in state]
        unknown = [name for name in state if name not in named]
        if missing or unknown:
            first = f"{missing[0]} is missing" if missing else f"{unknown[0]} is unknown"
            raise ValueError(f"{len(state)} numbers for {len(named)} parameters: {first}")
        numbers = [Value(state[name]).data for name in named]
        for parameter, number in zip(named.values(), numbers):
            parameter.data = number


class Neuron(Module):
    """Σ of weight times input plus bias, then an activation.

    Args:
        nin: number of inputs.
        nonlin: whether there is an activation at all.
        activation: the name of an operation of one input (`Value.tanh` is called "tanh"), a
            function from value to value, or None for the sum itself.
        init: how the weights start: "xavier_uniform", "xavier_normal", "he_uniform" or
            "he_normal".  If not given, He's normal for a rectifier and Xavier's uniform for the
            rest, as in the two papers.  The bias starts at 0.
        mask: one entry per input; where it is false there is no link.
        seed: a number, or a `random.Random` to go on with; without it, Python's own generator,
            so that `random.seed` governs.
        fan_out: number of neurons in its layer, for Xavier's rule.

    Attributes:
        w: the weights, one per link.
        b: the bias.
        links: which inputs are linked, counted from 0.

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
        self.activation: Activation = _named(activation) if nonlin else None
        self._activate = _function(self.activation)
        deviation, draw = _start(init, self._activate, len(self.links), fan_out, seed)
        self.w: list[Value] = [Value(draw(deviation)) for _ in self.links]
        self.b: Value = Value(0.0)
        self.name("a", "z")

    def __call__(self, inputs: Sequence[Number]) -> Value:
        if len(inputs) != self.nin:
            raise ValueError(f"{len(inputs)} inputs to a neuron with {self.nin}")
        if not isinstance(inputs[0], Value):  # a layer has done this for all of its neurons
            inputs = _values(inputs)
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
        """Label the parameters, and what the neuron will compute.

        Args:
            summed: the label of its sum.
            activated: the label of its output.
            place: its number in the layer; empty if it stands alone.
            layer: the superscript of its parameters.
        """
        after = f",{place}" if place else ""
        for weight, link in zip(self.w, self.links):
            weight.label = subscripted("w", f"{link + 1}{after}") + layer
        self.b.label = subscripted("w", f"0{after}") + layer
        self._sum_name, self._name = summed, activated

    def __repr__(self) -> str:
        return f"{activation_symbol(self.activation) or 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons beside each other, with the same inputs.

    Args:
        nin: number of inputs.
        nout: number of neurons.
        nonlin, activation, init, seed: as for `Neuron`.
        mask: one row per neuron with one entry per input; where it is false there is no link.

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
        generator = _generator(seed)
        self.neurons: list[Neuron] = [
            Neuron(
                nin,
                nonlin,
                activation=activation,
                init=init,
                mask=None if mask is None else mask[j],
                seed=generator,
                fan_out=nout,
            )
            for j in range(nout)
        ]
        self.name("a", "z")

    def __call__(self, inputs: Sequence[Number] | Number) -> Outputs:
        """The value of each neuron; of a single neuron, the value itself."""
        values = _values(inputs)
        outputs: Any = [neuron(values) for neuron in self.neurons]
        return outputs[0] if len(self.neurons) == 1 else outputs  # type: ignore[no-any-return]

    def parameters(self) -> list[Value]:
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def name(self, summed: str, activated: str, superscript: str = "", layer: str = "") -> None:
        """Label what the neurons will compute, with `superscript`, and the parameters."""
        for j, neuron in enumerate(self.neurons, start=1):
            names = [subscripted(letter, j) + superscript for letter in (summed, activated)]
            neuron.name(names[0], names[1], str(j), layer)

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(repr, self.neurons))}]"


class MLP(Module):
    """A multi-layer perceptron: each layer reads the outputs of the one before.

    Args:
        nin: number of inputs.
        nouts: number of neurons of each layer.
        activation: that of the hidden layers, the last one being linear; or one for each layer.
        init, seed: as for `Neuron`.
        masks: for each layer a mask as for `Layer`, or None.

    The weight from node i to node j of layer l is labelled `w_{i,j}^{(l)}`, the bias of node j
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
        for what, given in (("activations", activation), ("masks", masks)):
            if given is not None and len(given) != len(nouts):
                raise ValueError(f"{len(given)} {what} for {len(nouts)} layers; give one each")
        generator = _generator(seed)
        sizes = [nin, *nouts]
        self.layers: list[Layer] = [
            Layer(
                sizes[k],
                sizes[k + 1],
                activation=activation[k],
                init=init,
                mask=None if masks is None else masks[k],
                seed=generator,
            )
            for k in range(len(nouts))
        ]
        for number, layer in enumerate(self.layers, start=1):
            place = f"^{{({number})}}"
            if number == len(nouts):
                layer.name("s", "y", "", place)
            else:  # the lecture's network has one hidden layer: a_1, z_1
                layer.name("a", "z", place if len(nouts) > 2 else "", place)

    def __call__(self, inputs: Sequence[Number] | Number) -> Outputs:
        """The value of each output neuron; of a single one, the value itself."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs  # type: ignore[return-value]

    def parameters(self) -> list[Value]:
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(repr, self.layers))}]"


def activation_symbol(activation: Activation) -> str:
    """What a drawing shows for an activation; nothing for a linear neuron.

    >>> activation_symbol("sigmoid"), activation_symbol(None)
    ('σ', '')
    """
    if activation is None:
        return ""
    if isinstance(activation, str):
        return OPS[activation].symbol
    return getattr(activation, "__name__", "f").replace("<lambda>", "f")


def _named(activation: Activation) -> Activation:
    """The activation by its name in the table, if it is there; None for a linear one."""
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


def _function(activation: Activation) -> Callable[[Value], Value] | None:
    if isinstance(activation, str):
        return getattr(Value, activation)  # type: ignore[no-any-return]
    return activation


def _start(
    init: str | None,
    activate: Callable[[Value], Value] | None,
    fan_in: int,
    fan_out: int,
    seed: Seed,
) -> tuple[float, Callable[[float], float]]:
    """The standard deviation of the weights, and what draws one with it."""
    left, right = _slope(activate, -50.0), _slope(activate, 50.0)
    rectifier = abs(left) < 1 and abs(right - 1) < 1e-9
    if init is None:
        init = "he_normal" if rectifier else "xavier_uniform"
    kind, _, shape = init.partition("_")
    if kind not in ("he", "xavier") or shape not in ("uniform", "normal"):
        raise ValueError(
            f"no init {init!r}; there are xavier_uniform, xavier_normal, he_uniform, he_normal"
        )
    if kind == "xavier":
        deviation = math.sqrt(2 / (fan_in + fan_out))
    else:
        deviation = math.sqrt(2 / ((1 + left**2 if rectifier else 1) * fan_in))
    generator = _generator(seed)
    if shape == "normal":
        return deviation, lambda sigma: generator.gauss(0, sigma)
    return deviation, lambda sigma: generator.uniform(-math.sqrt(3) * sigma, math.sqrt(3) * sigma)


def _slope(activate: Callable[[Value], Value] | None, at: float) -> float:
    """The slope of an activation; NaN where it has none."""
    if activate is None:
        return 1.0
    x = Value(at)
    try:
        activate(x).backward()
    except (ArithmeticError, ValueError):
        return math.nan
    return x.grad


def _generator(seed: Seed) -> random.Random:
    if isinstance(seed, random.Random):
        return seed
    return random.Random(random.getrandbits(64) if seed is None else seed)


def _values(inputs: Sequence[Number] | Number) -> Sequence[Value]:
    """The inputs as values, numbers being labelled x_1, x_2, ...; a single one as a list."""
    if isinstance(inputs, Value):
        return [inputs]
    if not hasattr(inputs, "__len__"):
        inputs = [inputs]
    return [
        x if isinstance(x, Value) else Value(x, subscripted("x", i))
        for i, x in enumerate(inputs, start=1)  # type: ignore[arg-type]
    ]


def _check_sizes(nin: int, nout: int) -> None:
    if not (type(nin) is type(nout) is int and nin > 0 and nout > 0):
        raise ValueError(f"{nin!r} inputs and {nout!r} neurons; each is a whole number from 1")
