"""How fast a training step is here, beside other ways to compute it: ``micrograd-lab bench``.

A step is the forward pass, the backward pass and the update of the parameters.  Every way gets
the same numbers, must return the same loss and gradient to 1e-10, and takes its turn in every
round, so that whatever else the machine does slows all of them down.  One thread each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace

_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
_PINNED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # some environments pin it to another processor


def add_options(parser: ArgumentParser) -> None:
    """What `run` and the process it starts can be told."""
    parser.add_argument("--rounds", type=int, default=15, help="turns each (default: %(default)s)")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="tables with this in their title"
    )
    parser.add_argument("--costs", action="store_true", help="also compiling, memory and imports")


def run(options: Namespace) -> None:
    """Print the tables, from a process of their own that has one thread.

    The number of threads has to be known before NumPy is imported.

    Raises:
        ValueError: if there is to be no round.
        RuntimeError: if that process fails; it has said why.
    """
    if options.rounds < 1:
        raise ValueError(f"{options.rounds} rounds; give at least 1")
    kept = {name: value for name, value in os.environ.items() if name not in _PINNED}
    command = [sys.executable, "-m", __name__, "--rounds", str(options.rounds)]
    command += ["--only", options.only, *(["--costs"] if options.costs else [])]
    code = subprocess.run(command, check=False, env=kept | _ENVIRONMENT).returncode
    if code:
        raise RuntimeError(f"the benchmarks ended with code {code}")


def duration(seconds: float) -> str:
    """A time with three digits.

    >>> duration(0.00123)
    '1.23 ms'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
