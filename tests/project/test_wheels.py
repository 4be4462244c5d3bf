"""The wheel that pip builds from this checkout, with a compiler, without one, and for elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from micrograd_lab import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LIBRARIES = {f"micrograd_lab/replaying/tape/libkernel.{end}" for end in ("so", "dylib", "dll")}


def wheel(folder, **environment):
    """The name of the wheel, the files in it, and what it says of itself."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(clone)],
        check=True,
        env=os.environ | environment,
    )
    [path] = folder.glob("*.whl")
    with ZipFile(path) as file:
        files = file.namelist()
        [about] = (name for name in files if name.endswith("/METADATA"))
        return path.name, set(files), file.read(about).decode()


def test_it_has_a_kernel_and_serves_every_python(tmp_path):
    name, files, _ = wheel(tmp_path)
    assert "-py3-none-" in name
    assert "any" not in name
    assert files & LIBRARIES


@pytest.mark.parametrize("how", [{"CC": "false"}, {"MICROGRAD_LAB_PLATFORM": "any"}], ids=str)
def test_where_nothing_compiles_it_has_no_kernel(how, tmp_path):
    name, files, _ = wheel(tmp_path, **how)
    assert name.endswith("-py3-none-any.whl")
    assert "micrograd_lab/replaying/tape/kernel.c.in" in files
    assert not files & LIBRARIES


@pytest.mark.parametrize(("platform", "musl"), [("any", False), ("musllinux_1_2_x86_64", True)])
def test_it_asks_for_the_graphviz_that_has_a_wheel(platform, musl, tmp_path):
    _, _, about = wheel(tmp_path, MICROGRAD_LAB_PLATFORM=platform)
    assert ("Requires-Dist: pygraphviz" in about) != musl
    pure = re.search(r"Requires-Dist: graphviz-pure>=0\.2\.2; (.*)", about)[1]
    assert ("win32" in pure) != musl
    assert "Requires-Dist: matplotlib" in about


def test_its_readme_stands_alone(tmp_path):
    _, _, about = wheel(tmp_path, MICROGRAD_LAB_PLATFORM="any")
    links = re.findall(r"\]\((?!#)(.*?)\)", about)
    assert links
    assert all(link.startswith("https://") for link in links)
    files = "https://raw.githubusercontent.com/micrograd-lab/micrograd-lab"
    pictures = re.findall(r"\]\((docs/.*?\.png)\)", ROOT.joinpath("README.md").read_text("utf-8"))
    assert pictures
    assert all(f"({files}/v{__version__}/{picture})" in about for picture in pictures)
    assert "\npip install micrograd-lab\n" in about
