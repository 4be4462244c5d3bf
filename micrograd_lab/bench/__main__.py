"""Time training steps and print the tables; `run` starts this with one thread."""

from __future__ import annotations

import gc
import platform
import time
from argparse import ArgumentParser
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from statistics import median
from typing import Any

from . import add_options, duration, ours, peers
from .costs import growth, starting
from .workloads import Chain, Network, Step, workloads

WAYS: dict[str, tuple[str, Any, Any]] = {  # name: what must be installed, network, chain
    "micrograd": ("micrograd", peers.micrograd, peers.micrograd_chain),
    "define by run": ("numpy", ours.define_by_run, ours.define_by_run_chain),
    "PyTorch": ("torch", peers.torch, peers.torch_chain),
    "torch.compile": ("torch", peers.torch_compile, None),
    "jax.jit": ("jax", peers.jax, None),
    "CasADi SX": ("casadi", peers.casadi, peers.casadi_chain),
    "by hand": ("numpy", ours.by_hand, ours.chain_by_hand),
    "Python program": ("numpy", ours.replayed("python"), ours.replayed_chain("python")),
    "NumPy program": ("numpy", ours.replayed("numpy"), ours.replayed_chain("numpy")),
    "tape": ("numba", ours.replayed("tape"), ours.replayed_chain("tape")),
}


def measure(work: Network | Chain, rounds: int) -> dict[str, list[float]]:
    """Seconds per step in each round, for each way that is installed and can compute `work`.

    Raises:
        ValueError: if a way returns another loss or gradient.
    """
    import numpy as np

    steps: dict[str, Step] = {}
    expected = None
    for name, (package, of_network, of_chain) in WAYS.items():
        make = of_chain if isinstance(work, Chain) else of_network
        if make is None or not find_spec(package):
            continue
        step = make(work)
        if step is None:
            continue
        loss, gradient = step()
        found = np.array([loss, *gradient])
        expected = found if expected is None else expected
        error = np.abs(found - expected).max() / np.abs(expected).max()
        if not error < 1e-10:
            raise ValueError(f"{name} is {error:.0e} away from {next(iter(steps))}")
        steps[name] = step
    often = {name: _often(step) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            gc.collect()  # what the others left behind
            count = often[name]
            start = time.perf_counter()
            for _ in range(count):
                step()
            times[name].append((time.perf_counter() - start) / count)
    return times


def _often(step: Step) -> int:
    """How often to repeat a step so that a turn takes 10 ms."""
    step()
    start = time.perf_counter()
    step()
    once = time.perf_counter() - start
    return max(1, int(0.01 / max(once, 1e-6)))


def table(title: str, times: dict[str, list[float]]) -> str:
    """Medians and least times, and how many times as fast as by hand, as Markdown."""
    lines = [
        f"\n| {title} | median | least | by hand = 1 | of the least |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, found in times.items():
        cells = [duration(median(found)), duration(min(found))]
        cells += [f"{of(times['by hand']) / of(found):.3g}" for of in (median, min)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = ArgumentParser()
    add_options(parser)
    parsed = parser.parse_args()
    packages = ["numpy", "numba", "torch", "jax", "casadi", "micrograd"]
    print(f"Python {platform.python_version()}", *filter(None, map(_version, packages)), sep=", ")
    if parsed.costs:  # first: collecting cycles takes longer beside what the others keep
        print(growth(), starting(), sep="\n", flush=True)
    for name, work in workloads().items():
        if parsed.only in name:
            print(table(name, measure(work, parsed.rounds)), flush=True)


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
