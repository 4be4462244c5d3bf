"""Bring what Python in the browser is made of, before Sphinx builds the site from it.

    python docs/browser/fetch.py
    python docs/browser/fetch.py --arrays

npm has Pyodide and a Graphviz in WebAssembly, PyPI the wheels of pure Python, and only Pyodide's
own server the compiled ones: NumPy, Matplotlib, safetensors and, for the digits of one notebook,
scikit-learn.  Those come with ``--arrays``, each checked against the lock file of Pyodide.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
ARRAYS = ["numpy", "matplotlib", "safetensors", "scikit-learn"]
SERVER = "https://cdn.jsdelivr.net/pyodide/v{}/full/"


def main():
    npm = shutil.which("npm") or sys.exit("npm is not there, which brings Pyodide: install Node.js")
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    for name in ("wheels", "arrays"):
        shutil.rmtree(HERE / name, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:",
         "--python-version", "3.14", "--platform", "any",
         "-r", HERE / "requirements.txt", "-d", HERE / "wheels"],
        check=True,
    )  # fmt: skip
    if "--arrays" in sys.argv:
        bring_arrays()


def bring_arrays():
    """Download the compiled packages, and what they need, into the folder ``arrays``."""
    pyodide = HERE / "node_modules" / "pyodide"
    version = json.loads((pyodide / "package.json").read_text("utf-8"))["version"]
    packages = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["packages"]
    wanted = list(ARRAYS)
    for name in wanted:
        wanted += [other for other in packages[name]["depends"] if other not in wanted]
    (HERE / "arrays").mkdir()
    for package in map(packages.get, wanted):
        with urlopen(SERVER.format(version) + package["file_name"], timeout=60) as answer:
            wheel = answer.read()
        if hashlib.sha256(wheel).hexdigest() != package["sha256"]:
            sys.exit(f"{package['file_name']} is not the file that Pyodide {version} was made with")
        (HERE / "arrays" / package["file_name"]).write_bytes(wheel)


if __name__ == "__main__":
    main()
