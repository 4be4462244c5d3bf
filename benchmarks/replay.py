"""How fast a replayed training step is, beside other ways to compute it, and what starting costs.

    pip install . torch jax casadi micrograd==0.1.0
    python benchmarks/replay.py
    python benchmarks/replay.py --only moons --rounds 5
    python benchmarks/replay.py -o benchmarks/replay.json

A step is the forward pass, the backward pass and the update of the parameters.  Every way gets
the same numbers, must return the same loss and gradient to 1e-10, and takes its turn in every
round, so that whatever else the machine does slows all of them down.  One thread each.  What is not
installed is left out.  A run takes about five minutes.
"""

from __future__ import annotations

import gc
import os
import platform
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import measured
import ours
import peers
import tuned
from costs import growth, starting
from workloads import Chain, Network, Step, workloads

ENVIRONMENT = {  # one thread: to be known before NumPy is imported
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
PINNED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # some environments pin it to another processor
WAYS: dict[str, tuple[str, Any, Any]] = {  # name: what must be installed, network, chain
    "micrograd": ("micrograd", peers.micrograd, peers.micrograd_chain),
    "define by run": ("numpy", ours.define_by_run, ours.define_by_run_chain),
    "PyTorch": ("torch", peers.torch, peers.torch_chain),
    "torch.compile": ("torch", peers.torch_compile, None),
    "jax.jit": ("jax", peers.jax, None),
    "CasADi SX": ("casadi", peers.casadi, peers.casadi_chain),
    "by hand": ("numpy", ours.by_hand, ours.chain_by_hand),
    "hand-tuned C": ("numpy", tuned.tuned, tuned.tuned_chain),
    "Python program": ("numpy", ours.replayed("python"), ours.replayed_chain("python")),
    "NumPy program": ("numpy", ours.replayed("numpy"), ours.replayed_chain("numpy")),
    "tape": ("numpy", ours.replayed("tape"), ours.replayed_chain("tape")),
}


class Turn(NamedTuple):
    """Seconds for a step: by the clock, and of the processor, which others do not slow down."""

    wall: float
    cpu: float


def main(arguments: list[str]) -> None:
    """Print the tables, with one thread."""
    options = parsed(arguments, __doc__)
    on_one_thread(__file__, arguments)
    packages = versions("numpy", "torch", "jax", "casadi", "micrograd")
    print(packages)
    if not options.only:  # first: collecting cycles takes longer beside what the others keep
        print(growth(), starting(), sep="\n", flush=True)
    works = {name: work for name, work in workloads().items() if options.only in name}
    told = {name: tell(name, measure(work, options.rounds)) for name, work in works.items()}
    if options.output:
        measured.save(options.output, packages, "by hand", told)


def on_one_thread(file: str, arguments: list[str]) -> None:
    """Begin again in an environment for one thread, if this is not one."""
    if not ENVIRONMENT.items() <= os.environ.items() or any(name in os.environ for name in PINNED):
        kept = {name: value for name, value in os.environ.items() if name not in PINNED}
        os.execve(sys.executable, [sys.executable, file, *arguments], kept | ENVIRONMENT)


def versions(*packages: str) -> str:
    """Which Python and packages these are."""
    found = filter(None, map(_version, packages))
    return ", ".join([f"Python {platform.python_version()}", *found])


def parsed(arguments: list[str], description: str | None, *, tables: bool = True) -> Namespace:
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="turns each (default: %(default)s)")
    if tables:
        only = "tables with this in their title"
        parser.add_argument("--only", default="", metavar="TEXT", help=only)
        parser.add_argument("-o", dest="output", type=Path, metavar="FILE", help="tables as JSON")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"{options.rounds} rounds; give at least 1")
    return options


def measure(work: Network | Chain, rounds: int) -> dict[str, list[Turn]]:
    """The times of a step in each round, for each way that is installed and can compute `work`."""
    makers = {
        name: of_chain if isinstance(work, Chain) else of_network
        for name, (package, of_network, of_chain) in WAYS.items()
        if find_spec(package)
    }
    steps = {name: make(work) for name, make in makers.items() if make}
    return in_turns({name: step for name, step in steps.items() if step}, rounds)


def in_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[Turn]]:
    """The times of a step in each round, for steps that give the same loss and gradient.

    Raises:
        ValueError: if one gives others.
    """
    import numpy as np

    expected = None
    for name, step in steps.items():
        loss, gradient = step()
        result = np.array([loss, *gradient])
        expected = result if expected is None else expected
        error = np.abs(result - expected).max() / np.abs(expected).max()
        if not error < 1e-10:
            raise ValueError(f"{name} is {error:.0e} away from {next(iter(steps))}")
    often = {name: _often(step) for name, step in steps.items()}
    times: dict[str, list[Turn]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            gc.collect()  # what the others left behind
            count = often[name]
            start, used = time.perf_counter(), time.process_time()
            for _ in range(count):
                step()
            turn = time.perf_counter() - start, time.process_time() - used
            times[name].append(Turn(turn[0] / count, turn[1] / count))
    return times


def tell(title: str, turns: dict[str, list[Turn]], base: str = "by hand") -> measured.Times:
    """Print the table of a workload, and give the times in it."""
    cpu = {way: median(turn.cpu for turn in of) for way, of in turns.items()}
    times = {}
    for way, of in turns.items():
        wall = [turn.wall for turn in of]
        numbers = median(wall), min(wall), cpu[way], cpu[base] / cpu[way]
        rounded = [float(f"{number:.4g}") for number in numbers]
        times[way] = dict(zip(("median", "least", "processor", "speed"), rounded))
    print(f"\n{measured.table(title, times, base)}", flush=True)
    return times


def _often(step: Step) -> int:
    """How often to repeat a step so that a turn takes 10 ms."""
    step()
    start = time.perf_counter()
    step()
    once = time.perf_counter() - start
    return max(1, int(0.01 / max(once, 1e-6)))


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
