"""Drawings: the DOT text, and what Graphviz makes of it."""

import re
from base64 import b64decode
from xml.etree import ElementTree

import pytest

from micrograd_lab import Value, dot, draw

SVG = "{http://www.w3.org/2000/svg}"


def toy():
    w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    g = w * x
    g.label = "g"
    f = g + b
    f.label = "f"
    return f


def neuron():
    """One neuron whose input also reaches the result by another way, after backward."""
    w, x, b = Value(0.15, "w_{1,1}^{(1)}"), Value(0.12, "x_1"), Value(0.1, "w_{0,1}^{(1)}")
    a = dot([w], [x], b)
    a.label = "a_1"
    result = a.sigmoid() * x
    result.backward()
    return result


def groups(diagram):
    root = ElementTree.fromstring(diagram.svg)
    return {group.get("id"): group for group in root.iter(f"{SVG}g") if group.get("id")}


def texts(group, kind):
    return [text.text for text in group.findall(f"{SVG}text[@class='{kind}']")]


def test_every_node_wire_and_edge_has_its_group():
    graph = groups(draw(toy()))
    wanted = "n0 n1 n2 n3 n4 w0 w1 w2 w3 w4 e3_0 e3_1 e4_0 e4_1"
    assert sorted(graph) == sorted(wanted.split())
    assert graph["n0"].get("class") == "node parameter"
    assert graph["w0"].get("class") == "wire"
    assert graph["e3_0"].get("class") == "edge"


def test_no_gradient_is_shown_before_backward():
    f = toy()
    assert [texts(group, "grad") for group in groups(draw(f)).values()] == [[]] * 14
    f.backward()
    assert texts(groups(draw(f))["w0"], "grad") == ["5"]


def test_the_branches_of_a_fork_carry_their_contributions():
    graph = groups(draw(neuron()))
    assert texts(graph["w1"], "grad") == ["0.534"]
    assert [texts(graph[edge], "grad") for edge in ("e3_1", "e6_1")] == [["0.00448"], ["0.529"]]


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".svg", b"<svg "), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph {")],
)
def test_a_diagram_is_saved_in_the_format_that_its_name_says(suffix, start, tmp_path):
    path = tmp_path / f"graph{suffix}"
    draw(neuron()).save(path)
    assert path.read_bytes().startswith(start)
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


def test_a_notebook_that_is_not_trusted_shows_the_picture():
    html = draw(Value(2, '"><script>') * 3)._repr_html_()
    alt, source = re.fullmatch(
        r'<img src="data:image/svg\+xml;base64,(\S+)" alt="(.*)" style="max-width:100%">', html
    ).groups()[::-1]
    assert alt == "Computational graph of v3, 3 nodes"
    assert b64decode(source).decode() == draw(Value(2, '"><script>') * 3).svg
