"""The pages run: README.md and docs/*.md, each from its top, in a folder and with names of its own.

A ```` ```python ```` block has to run, a `>>>` session to give what stands below it, and of a
```` ```console ```` block the lines `$ micrograd-lab ...` to print what follows them or, where
nothing does, to succeed.  Other blocks are for the eye.  Without PyTorch,
`<!-- skip: next if(missing("torch")) -->` leaves out the block below it.
"""

import os
import re
import shlex
import subprocess
import sys
from doctest import ELLIPSIS, OutputChecker
from importlib.util import find_spec
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent
collect_ignore = ["docs/conf.py", "docs/_ext"]  # for Sphinx, which need not be installed
COMMAND = re.compile(r"^\$ micrograd-lab (.*)\n((?:(?!\$ ).*\n?)*)", re.MULTILINE)


class SessionParser(PythonCodeBlockParser):
    """Reads the blocks that begin with `>>>`."""

    def __init__(self):
        super().__init__(doctest_optionflags=ELLIPSIS)
        self.codeblock_parser = CodeBlockParser("pycon", PythonEvaluator())


def run_commands(example):
    """Run the commands of a block; says which failed or printed something else than the page."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    for words, expected in COMMAND.findall(example.parsed):
        done = subprocess.run(
            [sys.executable, "-m", "micrograd_lab", *shlex.split(words)],
            env=environment, capture_output=True, encoding="utf-8", check=False, timeout=120,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        as_said = OutputChecker().check_output(expected, printed, ELLIPSIS)
        if not as_said if expected else done.returncode:
            return f"$ micrograd-lab {words}\nexpected:\n{expected}\nprinted:\n{printed}"
    return None


def missing(package):
    """Whether a package is not installed."""
    return find_spec(package) is None


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory):
    """A folder of its own for the files that a page writes; what it sets or adds is undone."""
    from micrograd_lab import Value
    from micrograd_lab.ops import OPS

    folder, environment, table = Path.cwd(), os.environ.copy(), dict(OPS)
    os.chdir(tmp_path_factory.mktemp("page"))
    yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for name in OPS.keys() - table.keys():
        del OPS[name]
        if hasattr(Value, name):
            delattr(Value, name)


def pytest_collection_modifyitems(items):
    """Importing PyTorch takes seconds."""
    for item in items:
        if item.path.name == "pytorch.md":
            item.add_marker(pytest.mark.slow)


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        SessionParser(),
        CodeBlockParser("console", run_commands),
        SkipParser(),
    ],
    patterns=["README.md", "docs/*.md"],
    setup=lambda namespace: namespace.update(missing=missing),
    fixtures=["page_folder"],
).pytest()
