import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import micrograd_lab

PACKAGE = Path(micrograd_lab.__file__).parent
ROOT = Path(__file__).parents[2]
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def room(path):
    """The room of a file: a module of the package, or one of its folders."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def floors():
    """The floor of every room, from the table in docs/architecture.md."""
    floors = {}
    for line in (ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines():
        if cells := re.match(r"\|\s*(\d+)\s*\|([^|]*)\|", line):
            for name in re.findall(r"`(\w+)(?:\.pyi?|/)`", cells[2]):
                floors[name] = int(cells[1])
    return floors


def imported(path):
    """The modules that a file imports, wherever in the file it does, as dotted names."""
    package = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            base += tuple((node.module or "").split(".")) if node.module else ()
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd_lab"):
            base = tuple(node.module.split(".")[1:])
        else:
            continue
        for name in node.names:
            inside = PACKAGE.joinpath(*base, name.name)
            is_module = inside.is_dir() or inside.with_suffix(".py").exists()
            yield ".".join((*base, name.name) if is_module else base)


def dotted(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below_its_own(path):
    if path.parent == PACKAGE and path.name in ("__init__.py", "__main__.py"):
        return
    height = floors()
    mine = room(path)
    assert mine in height, f"{mine} has no floor in docs/architecture.md"
    for other in {name.split(".")[0] for name in imported(path)} - {mine, ""}:
        assert height[other] < height[mine], f"{mine} imports {other}"


def test_no_modules_import_each_other_in_a_circle():
    above = {dotted(path): set(imported(path)) - {dotted(path)} for path in MODULES}
    left = dict(above)
    while free := [name for name, others in left.items() if left.keys().isdisjoint(others)]:
        for name in free:
            del left[name]
    assert not left


@pytest.mark.parametrize("wing", ["drawing", "replaying"])
def test_the_rooms_of_a_wing_do_not_borrow_from_each_other(wing):
    for path in (PACKAGE / wing).glob("*/*.py"):
        mine = path.parent.name
        for name in imported(path):
            within = name.split(".")
            if within[0] == wing and (PACKAGE / wing / within[1]).is_dir():
                assert within[1] == mine, f"{mine}/{path.name} imports {name}"


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES} - {PACKAGE}), ids=str)
def test_no_function_hides_a_folder_of_its_name(folder):
    names = ".".join(("micrograd_lab", *folder.relative_to(PACKAGE).parts))
    parent, _, name = names.rpartition(".")
    importlib.import_module(names)
    assert isinstance(getattr(importlib.import_module(parent), name), ModuleType)


def test_the_core_is_read_in_25_minutes():
    lines = sum(
        len((PACKAGE / name).read_text("utf-8").splitlines()) for name in ("ops.py", "engine.py")
    )
    assert lines <= 400


@pytest.mark.parametrize("name", ["ops", "engine", "context", "calculus", "graph", "checks"])
def test_the_core_builds_no_statements_from_text(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names.isdisjoint({"exec", "compile"})


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
