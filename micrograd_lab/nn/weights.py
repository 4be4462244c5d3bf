"""Networks in files, and to PyTorch and back.

A file is safetensors: numbers under the names of `torch.nn.Sequential`, and no code.  Activations,
masks and the names of classes stand beside them, so that `load` needs nothing but the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..engine import Value
from ..formulas import np
from ..ops import OPS
from ..saving import check_suffix, write_whole
from .modules import MLP, Activation, Layer

if TYPE_CHECKING:
    import torch

Path: TypeAlias = "str | os.PathLike[str]"

_TORCH_OPTIONS: dict[str, dict[str, Any]] = {
    "softplus": {"threshold": 40.0},  # torch's default, 20, is off by 2e-9
    "gelu_tanh": {"approximate": "tanh"},
}


def save(model: MLP, path: Path) -> None:
    """Write the network to a safetensors file, in full or not at all.

    PyTorch loads it into ``Sequential(Linear(2, 16), ReLU(), Linear(16, 1))`` for a
    ``MLP(2, [16, 1])``.

    Raises:
        TypeError: if `model` is not an `MLP`.
        ValueError: if the name does not end in .safetensors.

    >>> save(MLP(2, [16, 1], seed=1), getfixture("tmp_path") / "model.safetensors")
    """
    from safetensors.numpy import save as pack

    if not isinstance(model, MLP):
        raise TypeError(f"model must be an MLP, got {type(model).__name__}")
    check_suffix(path, ".safetensors")
    activations = [layer.neurons[0].activation for layer in model.layers]
    told: dict[str, Any] = {"classes": np.array(model.classes).tolist()}
    if not any(callable(activation) for activation in activations):
        told |= {"activation": activations, "masks": [_mask(layer) for layer in model.layers]}
    about = {"micrograd_lab.MLP": json.dumps(told)}  # one entry: several would be in any order
    write_whole(path, pack(_tensors(model), about))


def load(path: Path, model: MLP | None = None) -> MLP:
    """The network in a safetensors file.

    Args:
        path: a file from `save` or from PyTorch.
        model: the network to load the numbers into; needed if the file does not describe its
            network, as files from PyTorch do not.

    Raises:
        ValueError: if the file is damaged or fits another network; `model` is then unchanged.
        OSError: if there is no such file.

    >>> path = getfixture("tmp_path") / "model.safetensors"
    >>> save(MLP(2, [3, 1], seed=1), path)
    >>> load(path).state_dict() == MLP(2, [3, 1], seed=1).state_dict()
    True
    """
    from safetensors import SafetensorError, safe_open

    with open(path, "rb"):  # Python's error names the file
        pass
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            about = file.metadata() or {}
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            for name, kind in kinds.items():
                if kind not in ("F64", "F32", "F16"):
                    raise ValueError(f"{path}: {name} holds {kind}, not F64, F32 or F16")
            tensors = {name: file.get_tensor(name) for name in kinds}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file: {error}") from None
    try:
        try:
            told = json.loads(about.get("micrograd_lab.MLP", "{}"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it describes no network: {error}") from None
        model = model or _build(told, tensors)
        _fill(model, tensors)
        if isinstance(told, dict) and told.get("classes"):
            model.classes = told["classes"]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    return model


def to_torch(model: MLP) -> torch.nn.Sequential:
    """The same network as a `torch.nn.Sequential` in float64.

    A link that a mask cuts has weight 0 and no gradient.

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
            links = torch.tensor(mask, dtype=torch.float64)
            linear.weight.register_hook(links.mul)  # type: ignore[no-untyped-call,unused-ignore]
        modules.append(linear)
        if (activation := layer.neurons[0].activation) is not None:
            modules.append(_module(activation))
    sequential = torch.nn.Sequential(*modules)
    sequential.load_state_dict({name: torch.tensor(x) for name, x in _tensors(model).items()})
    return sequential


def from_torch(sequential: torch.nn.Sequential) -> MLP:
    """The same network as an `MLP`.

    Raises:
        ValueError: if a module is neither a `Linear` with a bias nor an activation after one.

    >>> model = MLP(2, [1, 1])
    >>> from_torch(to_torch(model))  # doctest: +SKIP
    MLP(2, [1, 1]) of relu, linear, 5 parameters
    """
    import torch

    if not isinstance(sequential, torch.nn.Sequential):
        raise TypeError(f"from_torch needs a torch.nn.Sequential, got {type(sequential).__name__}")
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
                f"module {name} is {module}; an MLP has Linear modules with a bias, each followed "
                "by at most one operation of the table"
            )
    if not sizes:
        raise ValueError(f"{len(sequential)} modules; an MLP has at least one Linear")
    activations += [None] * (len(sizes) - 1 - len(activations))
    model = MLP(sizes[0], sizes[1:], activation=activations)
    _fill(model, {name: np.array(x.tolist()) for name, x in sequential.state_dict().items()})
    return model


def _build(told: Any, tensors: Mapping[str, Any]) -> MLP:
    """A network with the activations in a file's metadata and the sizes of its tensors."""
    if isinstance(told, dict) and told.keys() <= {"classes"}:
        raise ValueError("it does not describe its network; give one: load(path, MLP(...))")
    try:
        weights = [name for name in tensors if name.endswith(".weight")]
        weights.sort(key=lambda name: int(name.removesuffix(".weight")))
        shapes = [tensors[name].shape for name in weights]
        chosen = {"activation": told["activation"], "masks": told["masks"]}
        return MLP(shapes[0][1], [shape[0] for shape in shapes], **chosen)
    except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"it describes no network: {error}") from None


def _tensors(model: MLP) -> dict[str, Any]:
    """The number of each parameter, 0 where a link is cut, in arrays by torch's names."""
    number = np.vectorize(lambda x: 0.0 if x is None else x.data, otypes=[float])
    return {name: number(values) for name, values in _parameters(model).items()}


def _fill(model: MLP, tensors: Mapping[str, Any]) -> None:
    """Give every parameter its number, or none if `tensors` do not fit the network."""
    current = _parameters(model)
    for name in [*current, *tensors]:
        if name not in tensors or name not in current:
            state = "is missing" if name in current else "is unknown"
            raise ValueError(f"{len(tensors)} tensors for {len(current)}: {name} {state}")
        if (shape := tensors[name].shape) != (ours := current[name].shape):
            raise ValueError(f"{name} has shape {shape}, the network {ours}")
    numbers: list[tuple[Value, float]] = []
    for name, parameters in current.items():
        for at, parameter in np.ndenumerate(parameters):
            number = float(tensors[name][at])
            if parameter is not None:
                numbers.append((parameter, number))
            elif number != 0:
                where = "".join(f"[{i}]" for i in at)
                raise ValueError(f"{name}{where} is {number:g}, but that link is cut")
    for parameter, number in numbers:
        parameter.data = number


def _parameters(model: MLP) -> dict[str, Any]:
    """Arrays of the weights and of the biases of each layer, by their names in a `Sequential`."""
    arrays, index = {}, 0
    for layer in model.layers:
        arrays[f"{index}.weight"] = _links(layer)
        arrays[f"{index}.bias"] = np.array([neuron.b for neuron in layer.neurons], dtype=object)
        index += 1 if layer.neurons[0].activation is None else 2  # where activations count too
    return arrays


def _links(layer: Layer) -> Any:
    """An array with a row per neuron of its weight of each input, None where there is no link."""
    rows = np.full((len(layer.neurons), layer.neurons[0].nin), None)
    for row, neuron in zip(rows, layer.neurons):
        row[neuron.links] = neuron.w
    return rows


def _mask(layer: Layer) -> list[list[int]] | None:
    """1 for each link and 0 for each missing one, or None if none is missing."""
    mask = [[int(weight is not None) for weight in row] for row in _links(layer)]
    return None if all(map(all, mask)) else mask


def _module(activation: Activation) -> torch.nn.Module:
    """The module of `torch.nn` for an activation: LeakyReLU for leaky_relu."""
    import torch

    if isinstance(activation, str):
        for name, kind in vars(torch.nn).items():
            if name.lower() == activation.removesuffix("_tanh").replace("_", ""):
                module: torch.nn.Module = kind(**_TORCH_OPTIONS.get(activation, {}))
                if _row(module) == activation:  # no other function of that name
                    return module
    raise ValueError(f"torch.nn has no module for the activation {activation!r}")


def _row(module: torch.nn.Module) -> str | None:
    """The name of the operation that computes what `module` does, if there is one."""
    import torch

    name = type(module).__name__.lower()
    for op in OPS.values():
        if op.name.removesuffix("_tanh").replace("_", "") == name:
            points = [k / 2 for k in range(-50, 51)]
            ours = [getattr(Value(x), op.name)().data for x in points]
            theirs = module(torch.tensor(points, dtype=torch.float64)).tolist()
            if all(abs(x - y) < 1e-8 for x, y in zip(ours, theirs)):
                return op.name
    return None
