"""What runs in the browser, beside the pages: Python, the playground, and the notebooks.

`python docs/browser/fetch.py` brings what they are made of.  With it the site gets two folders:
``python``, whose ``micrograd.mjs`` loads the package and a Graphviz in a page or in a worker, and
``lab``, JupyterLite with the notebooks.  Without, the site has neither, nor a link to the lab, and
the playground shows its first picture alone.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util import logging

from micrograd_lab.playground import answers

HERE = Path(__file__).parents[1] / "browser"
ROOT = HERE.parents[1]
WHEELS, ARRAYS = HERE / "wheels", HERE / "arrays"
KERNEL = "jupyterlite_pyodide_kernel"
PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
LINKS = " ".join(
    f'<a href="../{page}.html">{title}</a>'
    for page, title in {"index": "micrograd_lab", "learn": "Learn", "use": "Use"}.items()
)
LOCK = "pyodide-lock.json"
PARTLY = " This site was built without NumPy and Matplotlib; cells that need them say so."
log = logging.getLogger(__name__)


def offer(app, page, template, context, doctree):
    """Put a link to the running notebook below the title of its page."""
    if page.startswith("notebooks/") and WHEELS.is_dir():
        link = f"../lab/notebooks/index.html?path={page.removeprefix('notebooks/')}.ipynb"
        about = f"Python runs in this browser.{'' if ARRAYS.is_dir() else PARTLY}"
        line = f'<p class="running"><a href="{link}">Open it running</a> <span>{about}</span></p>'
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def add(app, error):
    """Fill the folders ``play``, ``python`` and ``lab`` of a site that was built."""
    if error or app.builder.name != "html":
        return
    play(Path(app.outdir, "play"))
    if not WHEELS.is_dir():
        log.info("no Python for the browser: python docs/browser/fetch.py")
        return
    folder = Path(app.outdir, "python")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    add_runtime(folder)
    with tempfile.TemporaryDirectory() as unpacked:
        (wheel,) = WHEELS.glob(f"{KERNEL}-*")
        with zipfile.ZipFile(wheel) as files:
            files.extractall(unpacked)
        (extension,) = Path(unpacked).glob("*.data/data/share/jupyter/labextensions/@*/*")
        add_kernel(folder, extension)
        add_lab(Path(app.outdir, "lab"), extension)


def add_runtime(folder):
    """Pyodide, Graphviz, the package and the sizes of all, for ``micrograd.mjs``."""
    modules = HERE / "node_modules"
    for name in PYODIDE:
        shutil.copy(modules / "pyodide" / name, folder)
    shutil.copy(modules / "@viz-js" / "viz" / "dist" / "viz.js", folder)
    lock = json.loads((modules / "pyodide" / LOCK).read_text("utf-8"))
    lock["packages"] = {  # of hundreds that are elsewhere
        name: package
        for name, package in lock["packages"].items()
        if (ARRAYS / package["file_name"]).is_file()
    }
    (folder / LOCK).write_text(json.dumps(lock), "utf-8")
    run(ROOT, "hatchling", "build", "-t", "wheel", "-d", folder)
    for wheel in WHEELS.glob("graphviz-*"):
        shutil.copy(wheel, folder)
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
    (folder / "examples").mkdir(exist_ok=True)
    for name in answers.EXAMPLES:
        question = json.dumps({"example": name, "numbers": {}})
        (folder / "examples" / f"{name}.json").write_text(answers.answer(question), "utf-8")


def add_kernel(folder, extension):
    """The wheels of a notebook's kernel, and the compiled packages if they were fetched."""
    kernel = folder / "kernel"
    kernel.mkdir()
    for wheel in [*WHEELS.glob("*.whl"), *(extension / "static" / "pypi").glob("*.whl")]:
        if not wheel.name.startswith(("graphviz-", KERNEL, "widgetsnbextension-")):
            shutil.copy(wheel, kernel)
    for wheel in ARRAYS.glob("*.whl"):
        shutil.copy(wheel, folder)
    wheels = json.dumps(sorted(path.name for path in kernel.iterdir()))
    arrays = ["numpy", "matplotlib", "safetensors"] if ARRAYS.is_dir() else []
    text = f"export const WHEELS = {wheels};\nexport const ARRAYS = {json.dumps(arrays)};\n"
    (folder / "wheels.mjs").write_text(text, "utf-8")
    shutil.copy(HERE / "kernel.mjs", folder)


def add_lab(folder, extension):
    """JupyterLite with the notebooks."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as lite:  # where it leaves a data base
        for name in ("jupyter-lite.json", "overrides.json"):
            shutil.copy(HERE / name, lite)
        run(
            lite, "jupyterlite_core", "build", "--output-dir", folder,
            "--contents", ROOT / "notebooks", "--apps", "notebooks", "--ignore-sys-prefix",
            "--no-sourcemaps", "--no-unused-shared-packages", "--no-libarchive",
            f"--LiteBuildConfig.federated_extensions={extension}",
        )  # fmt: skip


def run(folder, module, *arguments):
    """Run a module of Python in a folder; a wheel that it builds has no compiled kernel."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder, env=os.environ | {"MICROGRAD_LAB_PLATFORM": "any"},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise ExtensionError(f"{module} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def setup(app):
    app.connect("html-page-context", offer)
    app.connect("build-finished", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
