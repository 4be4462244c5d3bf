import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from micrograd_lab import __version__
from micrograd_lab.cli import COMMANDS

PACKAGE = Path(__file__).parent.parent


def run(*arguments, cwd=None, **environment):
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "micrograd_lab", *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"} | environment,
        encoding="utf-8",
        timeout=120,
    )


def one_line(done):
    """What a refused command line prints: one line, and nothing else."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^    {name}  +\w", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_fits_the_screen(name):
    done = run(name, "--help")
    assert done.returncode == 0
    assert f"  micrograd-lab {name}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_version():
    assert run("--version").stdout == f"micrograd-lab {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "arguments are required: COMMAND"),
        (["lectur"], "invalid choice: 'lectur'"),
        (["--frob"], "arguments are required: COMMAND|unrecognized arguments: --frob"),
        (["draw"], "arguments are required: expression"),
        (["draw", "x", "x=1", "--frob"], "unrecognized arguments: --frob"),
        (["draw", "x", "x=1", "--theme", "pink"], "invalid choice: 'pink'"),
        (["draw", "w*x", "w=1"], "x has no number; give x=…"),
        (["draw", "w*x", "w=1", "x"], "'x' is not NAME=NUMBER, such as w=-2"),
        (["draw", "w*x", "w=1", "x=one"], "'one' is not a number for x; write x=0.5"),
        (["draw", "x", "x=1", "x=2"], "x is given twice"),
        (["draw", "x.real", "x=1"], "'x.real' is not understood"),
        (["draw", "log(x)", "x=-1"], "log is undefined at x = Value\\(x: -1, grad=0\\)"),
    ],
)
def test_a_wrong_argument_gets_one_line_and_exit_code_2(arguments, says):
    line = one_line(run(*arguments))
    assert line.startswith("micrograd-lab")
    assert re.search(says, line)


def test_the_steps_of_an_expression_are_printed():
    assert run("step", "w*x + b", "w=-2", "x=5", "b=3").stdout.splitlines() == [
        "forward",
        "v4 = w × x = −2 × 5 = −10",
        "v5 = v4 + b = −10 + 3 = −7",
        "backward",
        "∂v5/∂v5 = 1",
        "∂v5/∂v4 += 1 × 1 = 1",
        "∂v5/∂b += 1 × 1 = 1",
        "∂v5/∂w += 1 × 5 = 5",
        "∂v5/∂x += 1 × (−2) = −2",
    ]


def test_the_derivation_of_a_gradient_is_printed():
    done = run("explain", "g = w*x; f = g + b", "w", "w=-2", "x=5", "b=3")
    first, *_, last = done.stdout.splitlines()
    assert first == "∂f/∂w = ∂g/∂w × ∂f/∂g"
    assert last == "∂f/∂w = 5 ≈ (f(w + h) − f(w − h)) ÷ (2 × h) = 5.000000, with h = 0.00001"


def test_the_derivation_has_other_forms():
    words = ("explain", "w_11*x", "w_11", "w_11=-2", "x=5")
    assert run(*words, "--latex").stdout.startswith(
        "\\begin{aligned}\n\\frac{\\partial \\text{v3}}"
    )
    assert run(*words, "--markdown").stdout.startswith(
        "- $\\frac{\\partial \\text{v3}}{\\partial w_{11}}"
    )


def test_a_name_that_is_not_in_the_expression_is_refused():
    says = "there is no q here; there are w, x, v3"
    assert says in one_line(run("explain", "w*x", "q", "w=-2", "x=5"))
