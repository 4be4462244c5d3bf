"""What runs in the browser, copied beside the pages: Python, and the playground that asks it.

`npm ci --prefix docs/browser` brings Pyodide and a Graphviz in WebAssembly.  With them the site
gets a folder ``python``, in which ``micrograd.mjs`` loads both, and the package; without, it has no
such folder, and the playground shows its first picture alone.
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

from micrograd_lab.playground import answers

HERE = Path(__file__).parents[1] / "browser"
PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
LINKS = " ".join(
    f'<a href="../{page}.html">{title}</a>'
    for page, title in {"index": "micrograd_lab", "learn": "Learn", "use": "Use"}.items()
)
LOCK = "pyodide-lock.json"
log = logging.getLogger(__name__)


def add(app, error):
    """Fill the folder ``python`` of a site that was built."""
    modules = HERE / "node_modules"
    if error or app.builder.name != "html":
        return
    play(Path(app.outdir, "play"))
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


def play(folder):
    """Write the playground: the package's page, answered by a worker."""
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(answers.page(LINKS), "utf-8")
    for path in [Path(answers.__file__).with_name(name) for name in ("play.js", "play.css")]:
        shutil.copy(path, folder)
    for path in (HERE / "play").iterdir():
        shutil.copy(path, folder)


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
