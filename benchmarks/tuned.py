"""A training step in hand-tuned C, ``tuned.c``, compiled for this processor where gcc is."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any

from workloads import CHAIN, RATE, Chain, Network, Step


@cache
def _library() -> Any:
    """The compiled steps; nothing where there is no compiler."""
    if not which("gcc"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "tuned.so")
        flags = [
            "-O3",
            "-march=native",
            "-ffp-contract=fast",
            "-fno-math-errno",
            "-fno-trapping-math",
        ]
        source = Path(__file__).with_name("tuned.c")
        subprocess.run(
            ["gcc", *flags, "-shared", "-fPIC", source, "-o", library, "-lm"], check=True
        )
        return ctypes.CDLL(str(library))


def tuned(net: Network) -> Step | None:
    """The step for the network, if there is one."""
    import numpy as np

    lanes, outputs = _lanes(), net.sizes[-1]
    names = {1: "moons", 2: "lecture", 10: f"digits{len(net.x)}"}
    t, layers = net.t, net.layers(net.p)
    if net.activation != "sigmoid":
        layers = [w.T for w in layers]  # a row per input, the biases last
    if outputs == 10:
        padded = -(-outputs // lanes) * lanes
        t, last = np.zeros((len(t), padded)), np.zeros((33, padded))
        t[:, :outputs], last[:, :outputs], last[-1, outputs:] = net.t, layers[-1], -1e30
        layers[-1] = last
    p = np.concatenate([np.ascontiguousarray(w).ravel() for w in layers])
    step, gradient = _step(names[outputs], len(net.x), net.x, t, p)
    ordered = Turned(gradient, layers, outputs if net.activation != "sigmoid" else 0)
    return step and (lambda: (step(), ordered))


def tuned_chain(chain: Chain) -> Step | None:
    import numpy as np

    x, kept = np.array([chain.x]), np.zeros(CHAIN // 2)
    step, gradient = _step("chain", CHAIN // 2, x, kept, np.array([chain.a, chain.b]))
    return step and (lambda: (step(), gradient))


@dataclass
class Turned:
    """A gradient, a row per input in every layer, put into the usual order when somebody looks.

    Attributes:
        outputs: how many the last layer has, without what pads it; 0 if all is in order.
    """

    gradient: Any
    layers: list[Any]
    outputs: int

    def __iter__(self) -> Iterator[float]:
        start = 0
        for w in self.layers:
            part = self.gradient[start : start + w.size].reshape(w.shape)
            start += w.size
            if self.outputs:
                part = part.T[: self.outputs if w is self.layers[-1] else None]
            yield from part.ravel().tolist()


def _lanes() -> int:
    """How many numbers a vector of `tuned.c` has."""
    flags = "#if defined(__AVX512F__)\n8\n#elif defined(__AVX__)\n4\n#else\n2\n#endif"
    command = ["gcc", "-march=native", "-E", "-P", "-"]
    if not which("gcc"):
        return 2
    done = subprocess.run(command, input=flags, capture_output=True, text=True, check=True)
    return int(done.stdout)


def _step(name: str, count: int, *arrays: Any) -> tuple[Any, Any]:
    """A call of a function on arrays, the last of which it moves, and its gradient."""
    import numpy as np

    gradient, library = np.zeros(arrays[-1].size), _library()
    if not library:
        return None, gradient
    function = library[name]
    function.restype = ctypes.c_double
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, gradient)]
    given = (ctypes.c_int(count), *addresses, ctypes.c_double(RATE))
    kept = arrays  # which the function uses, but does not own

    def step() -> float:
        assert kept
        return function(*given)  # type: ignore[no-any-return]

    return step, gradient
