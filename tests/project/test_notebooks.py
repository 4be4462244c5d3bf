import ast
import importlib
import re
import runpy
from pathlib import Path

import pytest

import micrograd_lab

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RUN = runpy.run_path(str(Path(__file__).with_name("notebooks.py")), run_name="run")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code(path):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


@pytest.mark.slow
@every_notebook
def test_it_runs_from_top_to_bottom_and_prints_what_it_keeps(path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(micrograd_lab.__file__).parent.parent))
    kept = RUN["printed"](nbformat.read(path, as_version=4))
    assert RUN["printed"](RUN["executed"](path)) == kept


@every_notebook
def test_its_outputs_are_kept(path):
    cells = code(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = [out.get("data", {}) for cell in cells for out in cell.outputs]
    assert any("image/png" in data or "<img" in data.get("text/html", "") for data in shown)
    assert not [out for cell in cells for out in cell.outputs if out.output_type == "error"]


@every_notebook
def test_it_is_saved_clean_and_small(path):
    saved = path.read_text("utf-8")
    clean = RUN["cleaned"](nbformat.reads(saved, as_version=4))
    assert nbformat.writes(clean) + "\n" == saved
    assert len(saved) < 1_500_000


@every_notebook
def test_it_uses_public_names_only_and_no_magics(path):
    for cell in code(path):
        for node in ast.walk(ast.parse(cell.source)):  # a magic is no Python and fails here
            if isinstance(node, ast.ImportFrom) and node.module.startswith("micrograd_lab"):
                module = importlib.import_module(node.module)
                for name in node.names:
                    assert name.name in module.__all__ or name.name == "lecture"
            assert not (isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr))


def test_there_are_notebooks_in_an_order_to_read_them():
    numbers = [path.stem.partition("_")[0] for path in NOTEBOOKS]
    assert numbers
    assert numbers == sorted(set(numbers), key=int)
