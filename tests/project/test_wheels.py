"""The wheel that pip builds from this checkout, with a compiler, without one, and for elsewhere."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LIBRARIES = {f"micrograd_lab/replaying/tape/libkernel.{end}" for end in ("so", "dylib", "dll")}


def wheel(folder, **environment):
    """The name of the wheel, and the files in it."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(clone)],
        check=True,
        env=os.environ | environment,
    )
    [path] = folder.glob("*.whl")
    with ZipFile(path) as file:
        return path.name, set(file.namelist())


def test_it_has_a_kernel_and_serves_every_python(tmp_path):
    name, files = wheel(tmp_path)
    assert "-py3-none-" in name
    assert "any" not in name
    assert files & LIBRARIES


@pytest.mark.parametrize("how", [{"CC": "false"}, {"MICROGRAD_LAB_PLATFORM": "any"}], ids=str)
def test_where_nothing_compiles_it_has_no_kernel(how, tmp_path):
    name, files = wheel(tmp_path, **how)
    assert name.endswith("-py3-none-any.whl")
    assert "micrograd_lab/replaying/tape/kernel.c.in" in files
    assert not files & LIBRARIES
