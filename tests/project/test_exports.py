"""What nbconvert makes of a notebook keeps the pictures, and derivations as mathematics."""

import re

import pytest

pytestmark = pytest.mark.slow

nbconvert = pytest.importorskip("nbconvert")
nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

PICTURES = {
    "draw": "from micrograd_lab import *\nw, x = Value(2, 'w'), Value(3, 'x')\ndraw(w * x)",
    "step": "step(w * x)",
    "draw_network": "model = MLP(2, [3, 1], seed=1)\ndraw_network(model)",
    "plot": "history = fit(model, *moons(20, seed=1), epochs=3, progress=False)\nhistory.plot()",
    "history": "history",
    "graph": "Graph(w * x)",
    "data": "moons(20, seed=1)",
}
DERIVATION = r"\frac{\partial \text{v3}}{\partial w} = x = 3"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A function that exports a notebook that was run: the text, and the files beside it."""
    cells = [*PICTURES.values(), "explain(w * x, w)", "w"]
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    where = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    nbclient.NotebookClient(notebook, timeout=120, resources=where).execute()

    def export(kind):
        text, resources = getattr(nbconvert, f"{kind}Exporter")().from_notebook_node(notebook)
        return text, resources.get("outputs", {})

    return export


def test_latex_includes_every_picture_as_a_pdf(exported):
    text, files = exported("Latex")
    included = re.findall(r"\{(output_\d+_\d+\.pdf)\}", text)
    assert len(included) == len(PICTURES)
    assert all(files[name].startswith(b"%PDF") for name in included)


@pytest.mark.parametrize("kind", ["Markdown", "Slides", "HTML"])
def test_every_picture_is_in_the_page(exported, kind):
    text, _ = exported(kind)
    pictures = re.findall(r'<img [^>]*src="data:image/svg\+xml;base64,[\w+/=]{500,}"', text)
    assert len(pictures) == len(PICTURES)


@pytest.mark.parametrize("kind", ["Latex", "Markdown", "Slides", "HTML"])
def test_a_derivation_stays_mathematics(exported, kind):
    text, _ = exported(kind)
    assert DERIVATION in text
    assert "$$" in text or r"\[" in text


@pytest.mark.parametrize(
    ("kind", "line"),
    [("Latex", "w = 2"), ("Markdown", "<i>w</i> = 2"), ("Slides", "<i>w</i> = 2")],
)
def test_a_value_is_a_line(exported, kind, line):
    text, _ = exported(kind)
    assert line in text
