"""Python for the browser: what a page needs to run the package, copied beside the pages.

`npm ci --prefix docs/browser` brings Pyodide and a Graphviz in WebAssembly.  With them the site
gets a folder ``python``, in which ``micrograd.mjs`` loads both, and the package; without, it has no
such folder, and its pages are as they are.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from sphinx.util import logging

HERE = Path(__file__).parents[1] / "browser"
PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
LOCK = "pyodide-lock.json"
log = logging.getLogger(__name__)


def add(app, error):
    """Fill the folder ``python`` of a site that was built."""
    modules = HERE / "node_modules"
    if error or app.builder.name != "html":
        return
    if not modules.is_dir():
        log.info("no Python for the browser: npm ci --prefix docs/browser")
        return
    folder = Path(app.outdir, "python")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in PYODIDE:
        shutil.copy(modules / "pyodide" / name, folder)
    shutil.copy(modules / "@viz-js" / "viz" / "dist" / "viz.js", folder)
    lock = json.loads((modules / "pyodide" / LOCK).read_text("utf-8"))
    lock["packages"] = {}  # Pyodide's distribution has them, npm has not
    (folder / LOCK).write_text(json.dumps(lock), "utf-8")
    own_wheel(folder)
    repack("graphviz", folder)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    (folder / "sizes.mjs").write_text(f"export const SIZES = {json.dumps(sizes)};\n", "utf-8")
    shutil.copy(HERE / "micrograd.mjs", folder)


def own_wheel(folder):
    """Build the wheel of this checkout without a compiled kernel."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=HERE.parents[1], env=os.environ | {"MICROGRAD_LAB_PLATFORM": "any"},
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def repack(name, folder):
    """Write the wheel that an installed distribution of pure Python came in."""
    files = distribution(name)
    version = files.version
    with zipfile.ZipFile(
        folder / f"{name}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED
    ) as wheel:
        for file in files.files:
            if ".." not in file.parts and file.suffix != ".pyc":
                wheel.write(file.locate(), file)


def setup(app):
    app.connect("build-finished", add)
    return {"parallel_read_safe": True}
