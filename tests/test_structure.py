import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_lab

PACKAGE = Path(micrograd_lab.__file__).parent
ROOT = Path(__file__).parent.parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def room(path):
    """The room of a file: a module of the package, or one of its folders."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def floors():
    """The floor of every room, from the table in docs/architecture.md."""
    found = {}
    for line in (ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines():
        if cells := re.match(r"\| (\d+) \| ([^|]*) \|", line):
            for name in re.findall(r"`(\w+)(?:\.py|/)`", cells[2]):
                found[name] = int(cells[1])
    return found


def imported(path):
    """The rooms that a file imports, wherever in the file it does."""
    depth = len(path.relative_to(PACKAGE).parts) - 1
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            names = [node.module.split(".")[0]] if node.module else [a.name for a in node.names]
            yield from (name for name in names if name != "__version__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd_lab."):
            yield node.module.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below_its_own(path):
    if path.parent == PACKAGE and path.name in ("__init__.py", "__main__.py"):
        return
    height = floors()
    mine = room(path)
    assert mine in height, f"{mine} has no floor in docs/architecture.md"
    for other in imported(path):
        if other != mine and not (other == "engine" and mine == "recording"):  # for its types only
            assert height[other] < height[mine], f"{mine} imports {other}"


def test_the_core_is_read_in_25_minutes():
    lines = sum(
        len((PACKAGE / name).read_text("utf-8").splitlines()) for name in ("ops.py", "engine.py")
    )
    assert lines <= 350


def test_importing_the_package_loads_the_standard_library_only():
    program = (
        "import sys; before = set(sys.modules); import micrograd_lab;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names) - {"micrograd_lab"}
    assert not foreign


def test_every_public_name_has_a_docstring_with_an_example():
    without = [
        name
        for name in micrograd_lab.__all__
        if ">>>" not in (getattr(micrograd_lab, name).__doc__ or "")
    ]
    assert not without


def test_the_version_is_the_one_of_the_project():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'version = "{micrograd_lab.__version__}"' in project
