"""Keep a network in a file, and take it to PyTorch and back.

A file is safetensors: numbers under the names that `torch.nn.Sequential` gives them, and nothing
that could run.  The sizes and activations stand beside them, so that `load` needs the file alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..engine import Value
from ..ops import OPS
from ..saving import write_whole
from .modules import MLP, Activation, Layer

if TYPE_CHECKING:
    import torch

Path: TypeAlias = "str | os.PathLike[str]"

_TORCH_OPTIONS = {"softplus": {"threshold": 40.0}}  # torch's default, 20, is off by 2e-9


def save(model: MLP, path: Path) -> None:
    """Write the network to a safetensors file, whole or not at all.

    PyTorch loads it into the same network: ``Sequential(Linear(2, 16), ReLU(), Linear(16, 1))`` is
    ``MLP(2, [16, 1])``, and its ``state_dict`` has the names of the file.

    Raises:
        TypeError: if `model` is not an `MLP`.

    >>> save(MLP(2, [16, 1], seed=1), getfixture("tmp_path") / "model.safetensors")
    """
    import numpy as np
    from safetensors.numpy import save as packed

    if not isinstance(model, MLP):
        raise TypeError(f"save takes an MLP, not {type(model).__name__}")
    activations = [_activation(layer) for layer in model.layers]
    about = {}
    if not any(callable(activation) for activation in activations):
        about["micrograd_lab.MLP"] = json.dumps(
            {"activation": activations, "masks": [_mask(layer) for layer in model.layers]}
        )
    tensors = {name: np.array(numbers) for name, numbers in _tensors(model).items()}
    write_whole(path, packed(tensors, about))


def load(path: Path, model: MLP | None = None) -> MLP:
    """The network in a safetensors file.

    Args:
        path: the file, written by `save` or by PyTorch.
        model: what to load the numbers into; needed if the file does not say what network they
            are of, as one from PyTorch does not.

    Raises:
        ValueError: if the file is damaged or is of another network; `model` has not changed then.

    >>> path = getfixture("tmp_path") / "model.safetensors"
    >>> save(MLP(2, [3, 1], seed=1), path)
    >>> load(path).state_dict() == MLP(2, [3, 1], seed=1).state_dict()
    True
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            about = file.metadata() or {}
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            for name, kind in kinds.items():
                if kind not in ("F64", "F32", "F16"):
                    raise ValueError(f"{path}: {name} holds {kind}, not F64, F32 or F16")
            tensors = {name: file.get_tensor(name).tolist() for name in kinds}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    try:
        model = model or _described(about, tensors)
        _fill(model, tensors)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return model


def to_torch(model: MLP) -> torch.nn.Sequential:
    """The same network as a `torch.nn.Sequential` in float64.

    Links that a mask cuts have weight 0 and no gradient there.

    Raises:
        ValueError: if an activation has no module in `torch.nn`.

    >>> model = MLP(2, [16, 1], activation="tanh")
    >>> to_torch(model)  # doctest: +SKIP
    Sequential(
      (0): Linear(in_features=2, out_features=16, bias=True)
      (1): Tanh()
      (2): Linear(in_features=16, out_features=1, bias=True)
    )
    """
    import torch

    modules: list[torch.nn.Module] = []
    for layer in model.layers:
        linear = torch.nn.Linear(layer.neurons[0].nin, len(layer.neurons), dtype=torch.float64)
        if mask := _mask(layer):
            kept = torch.tensor(mask, dtype=torch.float64)
            linear.weight.register_hook(kept.mul)  # type: ignore[no-untyped-call,unused-ignore]
        modules.append(linear)
        activation = _activation(layer)
        if activation is not None:
            modules.append(_module(activation))
    made = torch.nn.Sequential(*modules)
    made.load_state_dict(
        {name: torch.tensor(x, dtype=torch.float64) for name, x in _tensors(model).items()}
    )
    return made


def from_torch(sequential: torch.nn.Sequential) -> MLP:
    """The same network as an `MLP`: of `Linear` modules, each with an activation or none after it.

    Raises:
        ValueError: if there is another kind of module.

    >>> model = MLP(2, [1, 1])
    >>> from_torch(to_torch(model))  # doctest: +SKIP
    MLP of [Layer of [ReLUNeuron(2)], Layer of [LinearNeuron(1)]]
    """
    import torch

    if not isinstance(sequential, torch.nn.Sequential):
        raise TypeError(f"from_torch takes a torch.nn.Sequential, not {type(sequential).__name__}")
    sizes: list[int] = []
    activations: list[Activation] = []
    for name, module in sequential.named_children():
        follows = len(activations) < len(sizes) - 1
        if isinstance(module, torch.nn.Linear) and module.bias is not None:
            sizes = sizes or [module.in_features]
            activations += [None] if follows else []
            sizes.append(module.out_features)
        elif follows and (activation := _row(module)):
            activations.append(activation)
        else:
            raise ValueError(
                f"module {name} is {module}; an MLP has Linear modules with a bias, and after each "
                "an operation of the table or none"
            )
    if not sizes:
        raise ValueError(f"{len(sequential)} modules; an MLP has at least one Linear")
    activations += [None] * (len(sizes) - 1 - len(activations))
    model = MLP(sizes[0], sizes[1:], activation=activations)
    _fill(model, {name: tensor.tolist() for name, tensor in sequential.state_dict().items()})
    return model


def _described(about: Mapping[str, str], tensors: Mapping[str, Any]) -> MLP:
    """The network with the activations of a file's description and the sizes of its tensors."""
    if "micrograd_lab.MLP" not in about:
        raise ValueError("it does not say what network it is of; give one: load(path, MLP(...))")
    try:
        about = json.loads(about["micrograd_lab.MLP"])
        weights = [name for name in tensors if name.endswith(".weight")]
        weights.sort(key=lambda name: int(name.removesuffix(".weight")))
        shapes = [_shape(tensors[name]) for name in weights]
        return MLP(
            shapes[0][1],
            [shape[0] for shape in shapes],
            activation=about["activation"],
            masks=about["masks"],
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"it describes no network: {error}") from None


def _tensors(model: MLP) -> dict[str, Any]:
    """Weights, a row per neuron, and biases, by torch's names."""
    made: dict[str, Any] = {}
    for name, layer in _named_layers(model):
        made[f"{name}.weight"] = [
            [0.0 if weight is None else weight.data for weight in row] for row in _links(layer)
        ]
        made[f"{name}.bias"] = [neuron.b.data for neuron in layer.neurons]
    return made


def _fill(model: MLP, tensors: Mapping[str, Any]) -> None:
    """Give every parameter its number; none, if `tensors` are those of another network."""
    wanted = _tensors(model)
    for name in [*wanted, *tensors]:
        if name not in tensors or name not in wanted:
            known = "is missing" if name in wanted else "is unknown"
            raise ValueError(f"{len(tensors)} tensors for {len(wanted)}: {name} {known}")
        if _shape(tensors[name]) != _shape(wanted[name]):
            raise ValueError(
                f"{name} has shape {_shape(tensors[name])}, the network {_shape(wanted[name])}"
            )
    numbers: list[tuple[Value, float]] = []
    for name, layer in _named_layers(model):
        for j, row in enumerate(_links(layer)):
            numbers.append((layer.neurons[j].b, tensors[f"{name}.bias"][j]))
            for i, weight in enumerate(row):
                number = tensors[f"{name}.weight"][j][i]
                if weight is not None:
                    numbers.append((weight, number))
                elif number != 0:
                    raise ValueError(f"{name}.weight[{j}][{i}] is {number:g}, but that link is cut")
    for parameter, number in numbers:
        parameter.data = number


def _named_layers(model: MLP) -> Iterator[tuple[str, Layer]]:
    """Each layer with its place in a `Sequential`, where an activation takes a place too."""
    place = 0
    for layer in model.layers:
        yield str(place), layer
        place += 1 if _activation(layer) is None else 2


def _links(layer: Layer) -> list[list[Value | None]]:
    """For each neuron its weight for each input, None where there is no link."""
    rows: list[list[Value | None]] = []
    for neuron in layer.neurons:
        rows.append([None] * neuron.nin)
        for link, weight in zip(neuron.links, neuron.w):
            rows[-1][link] = weight
    return rows


def _mask(layer: Layer) -> list[list[int]] | None:
    """Which links there are, or None if all are."""
    mask = [[int(weight is not None) for weight in row] for row in _links(layer)]
    return None if all(map(all, mask)) else mask


def _activation(layer: Layer) -> Activation:
    return layer.neurons[0].activation


def _shape(numbers: Any) -> tuple[int, ...]:
    """The shape of a number, or of nested lists."""
    shape: list[int] = []
    while isinstance(numbers, list):
        shape.append(len(numbers))
        numbers = numbers[0] if numbers else None
    return tuple(shape)


def _module(activation: Activation) -> torch.nn.Module:
    """The module of `torch.nn` for an activation: LeakyReLU for leaky_relu."""
    import torch

    if isinstance(activation, str):
        for name, found in vars(torch.nn).items():
            if name.lower() == activation.replace("_", ""):
                made: torch.nn.Module = found(**_TORCH_OPTIONS.get(activation, {}))
                return made
    raise ValueError(f"torch.nn has no module for the activation {activation!r}")


def _row(module: torch.nn.Module) -> str | None:
    """The name of the operation that does what `module` does, if there is one."""
    import torch

    name = type(module).__name__.lower()
    for op in OPS.values():
        if op.name.replace("_", "") == name:
            points = [-25.0, -1.0, -0.1, 0.3, 2.0, 25.0]
            ours = [getattr(Value(x), op.name)().data for x in points]
            theirs = module(torch.tensor(points, dtype=torch.float64)).tolist()
            return op.name if all(abs(x - y) < 1e-8 for x, y in zip(ours, theirs)) else None
    return None
