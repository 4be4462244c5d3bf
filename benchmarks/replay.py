"""How fast a replayed training step is, beside other ways to compute it, and what starting costs.

    pip install .[fast] torch jax casadi micrograd==0.1.0
    python benchmarks/replay.py

What is not installed is left out; ``micrograd-lab bench`` prints the same tables.  A run takes
about five minutes.
"""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from micrograd_lab.bench import add_options, run

if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    add_options(parser)
    parser.set_defaults(costs=True)
    run(parser.parse_args())
