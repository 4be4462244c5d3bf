"""Whoever lays a diagram out, it is the same picture: the same nodes, wires and texts, in place.

The picture to compare with is that of the Graphviz in the pygraphviz wheel.  graphviz-pure and
Graphviz in WebAssembly, both of version 16, put nodes and wires exactly there and texts within
1.5 points, as neither has our fonts to ask for their height.  Where a stretch of wire may stand at
either of two places, as in "classifier", WebAssembly takes the other.  Debian's `dot`, of version
2.43, routes wires its own way: where none cross it is within 8 points, and any picture has the
same nodes, wires and texts on a page of that size.
"""

import json
import os
import re
import runpy
import subprocess
import sys
import sysconfig
from functools import cache, partial
from pathlib import Path
from shutil import which
from threading import Thread
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import pytest
from graphs import after_backward, classifier, copies, folded

from micrograd_lab import Value, draw, step, total
from micrograd_lab.drawing.graph import rendering
from micrograd_lab.lecture import chain, network, toy

SVG = "{http://www.w3.org/2000/svg}"
LABELS = [
    r"\hat{y}_1^{(2)}", "w_{0,j}", "W_{ij}^{(1)}", r"\bar{x}_i^2", r"\vec{v}", r"\hat\theta",
    r"\mathbf{W}", r"L_{\text{CE}}", "a label of many words", "x" * 60, "重み", "ваги", "😀",
]  # fmt: skip
SCRIPT = """
const { instance } = require(process.env.VIZ);
instance().then((viz) => {
  const pictures = JSON.parse(require("fs").readFileSync(0));
  console.log(JSON.stringify(pictures.map((dot) => viz.renderString(dot, { format: "svg" }))));
});
"""


def labels():
    products = [Value(i, label) * Value(2.0, f"w_{i}") for i, label in enumerate(LABELS)]
    return after_backward(total(products), LABELS[0])


def names():
    x = Value(0.3, "x")
    for label in LABELS:
        x = x.tanh()
        x.label = label
    return x


def lecture():
    return after_backward(network("corrected").result, "E")


PICTURES = {
    "toy": lambda: draw(after_backward(toy().result, "f")),
    "dark": lambda: draw(toy().result, theme="dark"),
    "chain": lambda: draw(after_backward(chain(layers=6).result, "z")),
    "copies": lambda: draw(copies()),
    "copies down": lambda: draw(copies(), rankdir="TB"),
    "names": lambda: draw(names()),
    "names down": lambda: draw(names(), rankdir="TB"),
    "numbers": lambda: draw(after_backward(toy().result * 1e-7 + 1e9, "f")),
    "lecture": lambda: draw(lecture()),
    "lecture down": lambda: draw(lecture(), rankdir="TB"),
    "layers": lambda: draw(lecture(), layers=True),
    "layers down": lambda: draw(lecture(), layers=True, rankdir="TB"),
    "folded": lambda: draw(folded()),
    "folded down": lambda: draw(folded(), layers=True, rankdir="TB"),
    "classifier": lambda: draw(classifier("L")),
    "textbook": lambda: draw(classifier("L"), textbook=True),
    "textbook down": lambda: draw(classifier("L"), textbook=True, rankdir="TB"),
    "labels": lambda: draw(labels()),
    "labels down": lambda: draw(labels(), rankdir="TB"),
}
UNCROSSED = [*PICTURES][:8]


@cache
def sources():
    return {name: picture().source for name, picture in PICTURES.items()}


def in_javascript(texts):
    """SVG texts that WebAssembly makes of DOT texts."""
    done = subprocess.run(
        ["node", "-e", SCRIPT], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@cache
def by_javascript():
    return dict(zip(sources(), in_javascript([*sources().values()])))


def program(name):
    found = which(name) or which(name, path=sysconfig.get_path("scripts"))
    return found or pytest.skip(f"there is no program {name}")


def by(renderer, name):
    """The SVG of a picture."""
    if renderer == "viz-js":
        return by_javascript()[name]
    return rendering._by_program(program(renderer), sources()[name], "svg", 72)


needs_viz = pytest.mark.skipif(not os.environ.get("VIZ"), reason="VIZ names no folder of @viz-js")
RENDERERS = [pytest.param("viz-js", marks=needs_viz), "graphviz-pure"]


def places(svg):
    """What is drawn, each with its place: the middle of a shape, where a text or a wire begins."""
    root = ElementTree.fromstring(svg)
    (page,) = root.findall(f"{SVG}g")
    drawn = [("page", "", [float(x) for x in root.get("viewBox").split()])]
    for group in page.iter(f"{SVG}g"):
        for shape in group:
            kind, of = shape.tag.removeprefix(SVG), group.get("id")
            if kind == "text":
                words = (shape.text or "").replace("\xa0", " ")
                drawn.append((of, words, [float(shape.get("x")), float(shape.get("y"))]))
            elif kind == "ellipse":
                drawn.append((of, kind, [float(shape.get(x)) for x in ("cx", "cy", "rx", "ry")]))
            elif kind in ("path", "polygon", "polyline"):
                numbers = re.findall(r"-?[\d.]+", shape.get("d") or shape.get("points"))
                x, y = ([float(number) for number in numbers[i::2]] for i in (0, 1))
                ends = [min(x), max(x), min(y), max(y)]
                if kind == "path":  # a wire, whose way may differ, or the frame of a layer
                    ends = [x[0], y[0], x[-1], y[-1]]
                drawn.append((of, kind, ends))
    return sorted(drawn, key=lambda each: each[:2])


def assert_same(svg, wanted, apart):
    actual, wanted = places(svg), places(wanted)
    assert [each[:2] for each in actual] == [each[:2] for each in wanted]
    for (of, what, at), (*_, there) in zip(actual, wanted):
        assert at == pytest.approx(there, abs=apart), (of, what)


def assert_alike(svg, wanted, apart):
    """The same things are drawn, on a page of about the same size."""
    actual, wanted = places(svg), places(wanted)
    assert [each[:2] for each in actual] == [each[:2] for each in wanted]
    sizes = [at for drawn in (actual, wanted) for of, _, at in drawn if of == "page"]
    assert sizes[0] == pytest.approx(sizes[1], abs=apart)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_picture_is_the_same(renderer, name):
    svg, wanted = by(renderer, name), rendering.render(sources()[name], "svg")
    if (renderer, name) == ("viz-js", "classifier"):
        assert_alike(svg, wanted, 0)
    else:
        assert_same(svg, wanted, 1.6)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_of_an_old_graphviz_is_the_same_but_where_wires_cross(name):
    svg, wanted = by("dot", name), rendering.render(sources()[name], "svg")
    assert_alike(svg, wanted, 8)
    if name in UNCROSSED:
        assert_same(svg, wanted, 8)


def page(monkeypatch, draw):
    """As in a browser, whose page draws with `draw`."""
    monkeypatch.setattr(rendering, "sys", SimpleNamespace(platform="emscripten", executable=""))
    module = ModuleType("graphviz_wasm")
    module.render = draw
    monkeypatch.setitem(sys.modules, "graphviz_wasm", module)


def test_in_a_browser_the_page_draws(monkeypatch):
    diagram = PICTURES["toy"]()
    svg = rendering.render(diagram.source, "svg").decode()
    wanted = diagram.svg
    page(monkeypatch, lambda source: svg if source == diagram.source else "")
    for name in ("subprocess", "_in_process"):
        monkeypatch.delattr(rendering, name)  # there are none
    assert PICTURES["toy"]().svg == wanted
    assert rendering.render(diagram.source, "svg", quick=False).decode() == svg


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_in_a_browser_another_kind_is_refused(kind, monkeypatch, tmp_path):
    page(monkeypatch, str)
    with pytest.raises(RuntimeError, match=rf"SVG, not {kind}; save graph\.svg instead"):
        PICTURES["toy"]().save(tmp_path / f"graph.{kind}")
    assert os.listdir(tmp_path) == []


def test_what_the_page_complains_about_is_in_the_error(monkeypatch):
    page(monkeypatch, lambda source: 1 / 0)
    with pytest.raises(RuntimeError, match=r"registerJsModule\(.*failed: division by zero"):
        draw(Value(1, "x")).svg  # noqa: B018
    monkeypatch.setitem(sys.modules, "graphviz_wasm", None)
    with pytest.raises(RuntimeError, match=r"registerJsModule\(.*failed: .*graphviz_wasm"):
        draw(Value(1, "x")).svg  # noqa: B018


@pytest.mark.slow
@needs_viz
def test_a_page_and_latex_take_what_the_browser_draws(monkeypatch):
    makers = {
        "picture": lambda: draw(lecture()).svg,
        "stepper": lambda: step(lecture()).html,
        "tex": lambda: draw(lecture())._render("tex").decode(),
    }
    wanted = {name: make() for name, make in makers.items()}
    page(monkeypatch, lambda source: in_javascript([source])[0])
    for name, make in makers.items():
        assert marks(make()) == marks(wanted[name])


def marks(text):
    """The ids in a picture or page, and the commands of LaTeX."""
    return sorted(re.findall(r' id="\w+"|\\\w+|<text', text))


def test_the_programs_are_asked_in_turn(monkeypatch, tmp_path):
    monkeypatch.setattr(rendering, "_in_process", lambda: False)
    there = {"dot": "/bin/dot", "graphviz-pure": "/bin/graphviz-pure"}
    monkeypatch.setattr(rendering, "which", lambda name, path=None: there.get(name))
    asked = []
    monkeypatch.setattr(rendering, "_by_program", lambda path, *_: asked.append(path) or b"")
    rendering.render("digraph {}", "svg")
    del there["dot"]
    rendering.render("digraph {}", "svg", quick=False)
    assert asked == ["/bin/dot", "/bin/graphviz-pure"]
    del there["graphviz-pure"]
    with pytest.raises(RuntimeError, match=r"pip install pygraphviz.*pip install graphviz-pure"):
        rendering.render("digraph {}", "svg")


def test_a_program_beside_this_python_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(rendering, "_in_process", lambda: False)
    where = {None: None, sysconfig.get_path("scripts"): "here"}
    monkeypatch.setattr(rendering, "which", lambda name, path=None: where[path])
    assert rendering._renderer().args == ("here",)


@pytest.mark.slow
def test_several_threads_draw_with_graphviz_pure():
    source, pictures = sources()["lecture"], []
    render = partial(rendering._by_program, program("graphviz-pure"), source, "svg", 72)
    threads = [Thread(target=lambda: pictures.append(render())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pictures == [render()] * 8


@pytest.mark.slow
def test_a_program_has_the_fonts_of_matplotlib():
    assert b"STIXGeneral" in rendering._by_program(program("dot"), sources()["toy"], "pdf", 96)


def test_the_widths_of_letters_are_those_of_the_fonts():
    widths = runpy.run_path(f"{Path(__file__).with_name('widths.py')}")
    assert widths["FILE"].read_text("utf-8") == widths["text"]()
