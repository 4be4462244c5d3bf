"""Drawings of graphs: the DOT text, and what Graphviz makes of it."""

import os
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from signal import SIGINT
from threading import Thread
from time import monotonic, sleep
from urllib.parse import urlparse
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from table import ROWS, apply, arity, title

from micrograd_lab import Graph, Value, cross_entropy, dot, draw, total
from micrograd_lab.drawing.graph.rendering import render
from micrograd_lab.lecture import chain, network

SVG = "{http://www.w3.org/2000/svg}"
WARNINGS = "error,ignore::DeprecationWarning"  # older Matplotlibs call what pyparsing renamed
ROOT = Path(__file__).parents[2]
NASTY = [
    'a "quoted" one', "<b>bold</b>", "a|b", "{a|{b}}", r"\N \G \E \\ \l", "two\nlines\r\n\t",
    "</svg><script>alert(1)</script>", "javascript:alert(1)", "&amp;&#92;&", "]]>", "<!--", "--",
    "\x00\x07\x1b[31m", "\ud800", "￾", "w_{1,1", "_", "^", "", " ", "%s {0}", "w" * 10_000, "重み",
]  # fmt: skip


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


def lecture():
    result = network("corrected").result
    result.backward()
    return result


def groups(diagram):
    root = ElementTree.fromstring(diagram.svg)
    return {group.get("id"): group for group in root.iter(f"{SVG}g") if group.get("id")}


def legend(diagram):
    root = ElementTree.fromstring(diagram.svg)
    (group,) = (group for group in root.iter(f"{SVG}g") if group.get("class") == "legend")
    return "".join(text.text for text in group.findall(f"{SVG}text"))


def texts(group, kind):
    found = group.findall(f"{SVG}text")
    return [text.text for text in found if kind in text.get("class").split()]


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": WARNINGS} | environment,
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


# draw(neuron()).save("tests/drawing/diagrams/neuron.dot") writes it anew, to be looked at
def test_the_dot_text_is_the_one_that_was_looked_at():
    assert draw(neuron()).source == (ROOT / "tests/drawing/diagrams/neuron.dot").read_text("utf-8")


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_dot_text_does_not_depend_on_the_hash_seed(seed):
    script = (
        "import sys; from micrograd_lab import draw; from micrograd_lab.lecture import network; "
        "result = network('corrected').result; result.backward(); "
        "sys.stdout.buffer.write(draw(result).source.encode())"
    )
    assert run("-c", script, PYTHONHASHSEED=seed).stdout == draw(lecture()).source


def test_every_node_wire_and_edge_has_its_group():
    graph = groups(draw(toy()))
    wanted = "n0 n1 n2 n3 n4 w0 w1 w2 w3 w4 e3_0 e3_1 e4_0 e4_1"
    assert sorted(graph) == sorted(wanted.split())
    kinds = [graph[f"n{i}"].get("class") for i in range(5)]
    assert kinds == [
        "node parameter",
        "node input",
        "node parameter",
        "node computed",
        "node result",
    ]
    assert graph["w0"].get("class") == "wire"
    assert graph["e3_0"].get("class") == "edge"


def test_the_value_of_every_node_stands_on_its_wire():
    graph = groups(draw(toy()))
    assert [texts(graph[f"w{i}"], "value") for i in range(5)] == [
        ["−2"],
        ["5"],
        ["3"],
        ["−10"],
        ["−7"],
    ]


def test_no_gradient_is_shown_before_backward():
    f = toy()
    assert [texts(group, "grad") for group in groups(draw(f)).values()] == [[]] * 14
    assert "∂" not in draw(f).source
    f.backward()
    assert texts(groups(draw(f))["w0"], "grad") == ["5"]


def test_the_gradients_shown_are_those_of_the_result_and_of_no_later_one():
    f = toy()
    (f * 3).backward()
    said = legend(draw(f))
    assert "∂f/∂value (below, flows ←)" in said
    assert "w.grad, x.grad, b.grad hold more than this" in said
    for leaf in Graph(f).nodes[:3]:
        leaf.grad = 0.0
    f.backward()
    assert legend(draw(f)).endswith("∂f/∂value (below, flows ←)")


def test_the_branches_of_a_fork_carry_their_contributions():
    graph = groups(draw(neuron()))
    assert texts(graph["w1"], "grad") == ["0.534"]
    assert [texts(graph[edge], "grad") for edge in ("e3_1", "e6_1")] == [["0.00448"], ["0.529"]]


def test_a_dead_relu_shows_that_it_hands_nothing_back():
    x = Value(-1.0, "x")
    result = x.relu() * Value(float("inf"), "y") + x
    result.backward()
    assert texts(groups(draw(result))["e1_0"], "grad") == ["0"]


def test_a_square_written_as_a_product_has_two_arrows():
    a = Value(3, "a")
    edges = groups(draw(a * a))
    for edge in ("e1_0", "e1_1"):
        assert len(edges[edge].findall(f"{SVG}polygon")) == 1  # the arrow's head


def test_inputs_whose_order_matters_arrive_in_order_from_the_top():
    a, b = Value(1, "a"), Value(2, "b")
    graph = groups(draw((a - b) * (b - a)))
    for node in (2, 3):
        heads = [graph[f"e{node}_{k}"].find(f"{SVG}polygon").get("points") for k in (0, 1)]
        upper, lower = (float(head.split()[1].split(",")[1]) for head in heads)
        assert upper < lower


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_every_operation_has_its_symbol_inside_its_node(op, capfd):
    inputs = [Value(op.name == "take" or 0.5, f"x_{i}") for i in range(arity(op))]
    node = groups(draw(apply(op, inputs), products=False))[f"n{len(inputs)}"]
    assert node.find(f"{SVG}text").text == op.symbol.split("^")[0]
    inputs[-1 if op.name != "take" else 1] = Value(0.4, "w") * Value(2.0, "z")  # a chain
    assert draw(apply(op, inputs), products=False).svg
    assert capfd.readouterr().err == ""  # of Graphviz: nothing is too small for its content


@pytest.mark.parametrize("label", NASTY, ids=range(len(NASTY)))
def test_any_label_is_only_text(label):
    x = Value(1.0, label)
    result = x * Value(2.0, "y")
    result.label = label
    assert is_sound(draw(result))


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\U000e0001", "\U0010ffff"], ids=ascii)
def test_a_label_that_nobody_can_see_is_drawn_in_silence(unseen, capfd):
    for suffix in ("svg", "png", "pdf"):
        render(draw(Value(1.0, unseen)).source, suffix)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("label", [r"\N", r"a\\G", "&amp;", "<b>", '"', "{a|b}", "%s"])
def test_a_label_stands_as_it_was_given(label):
    (text,) = groups(draw(Value(1.0, label)))["n0"].findall(f"{SVG}text")
    assert text.text == label


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters()))
def test_any_text_is_only_a_label(label):
    assert is_sound(draw(Value(1.0, label).exp()))


def is_sound(diagram):
    """Whether the SVG is what Graphviz draws for harmless labels, but for the words."""
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(diagram.svg).iter()}
    return tags == {"svg", "style", "title", "g", "polygon", "path", "ellipse", "text"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".tex", ".dot"])
def test_a_diagram_is_saved_in_the_format_that_its_name_says(suffix, theme, tmp_path):
    start = {".svg": b"<svg ", ".png": b"\x89PNG", ".pdf": b"%PDF", ".dot": b"digraph {"}
    start[".tex"] = b"% In a document: \\usepackage{amsmath, amssymb, tikz}"
    path = tmp_path / f"graph{suffix}"
    assert draw(lecture(), theme=theme).save(path) == path
    assert path.read_bytes().startswith(start[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_a_pdf_does_not_say_when_it_was_drawn():
    assert b"Date" not in render(draw(toy()).source, "pdf")


def test_the_more_wires_meet_the_more_room_they_have():
    few, many = (draw(total([Value(1.0)] * count)).source for count in (10, 40))
    assert "ranksep=0.2 " in few
    assert "ranksep=0.8 " in many


def test_what_nobody_reads_node_by_node_is_laid_out_in_haste():
    few, many = (draw(chain(layers=n).result, collapse="nothing").source for n in (20, 200))
    assert "nslimit=0.1 " not in few
    assert "nslimit=0.1 " in many
    assert "splines=line" in many


def corners(group):
    """The least and the largest x and y of a shape."""
    for ellipse in group.findall(f"{SVG}ellipse"):
        cx, cy, rx, ry = (float(ellipse.get(name)) for name in ("cx", "cy", "rx", "ry"))
        return [(cx - rx, cx + rx), (cy - ry, cy + ry)]
    shape = group.find(f"{SVG}path").get("d") + group.find(f"{SVG}path").get("points", "")
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", shape)
    return [(min(side), max(side)) for side in ([*map(float, each)] for each in zip(*points))]


def middle(group, axis):
    """Where a shape stands, from the left or from above."""
    return sum(corners(group)[axis]) / 2


AXES = pytest.mark.parametrize(("rankdir", "along"), [("LR", 0), ("TB", 1)])


@AXES
def test_a_chain_of_operations_runs_straight(rankdir, along):
    f = Value(1.0, "x")
    for k in range(12):
        f = f * Value(0.5, f"a_{k}") - Value(3.0, f"b_{k}") if k % 2 else Value(2.0) / f
    graph = groups(draw(f, rankdir=rankdir))
    places = [middle(g, 1 - along) for g in graph.values() if "computed" in g.get("class", "")]
    assert len(places) == 17
    assert max(places) - min(places) < 0.1


@AXES
def test_an_edge_ends_where_a_circle_meets_the_flow_not_in_its_name(rankdir, along):
    logits = [Value(k, f"a_{k}") * Value(1.0, f"b_{k}") for k in range(3)]
    result = cross_entropy(logits, [0, 1, 0])
    graph = groups(draw(result, textbook=True, rankdir=rankdir))
    nodes = Graph.at_present(result, textbook=True).nodes
    single = [j for j, node in enumerate(nodes) if len(node.inputs) == 1]
    assert len(single) == 7
    for j in single:
        points = graph[f"e{j}_0"].find(f"{SVG}polygon").get("points").split()
        tip = max(map(pair, points), key=lambda point: point[along])
        assert tip[along] == pytest.approx(corners(graph[f"n{j}"])[along][0], abs=2.5)
        assert tip[1 - along] == pytest.approx(middle(graph[f"n{j}"], 1 - along), abs=2.5)


@AXES
@pytest.mark.parametrize("layers", [False, True])
def test_values_flow_in_the_direction_that_was_asked_for(rankdir, along, layers):
    result = lecture()
    graph = groups(draw(result, rankdir=rankdir, layers=layers))
    position = {node: i for i, node in enumerate(Graph(result).nodes)}
    for node, j in position.items():
        for x in node.inputs:
            before, after = (graph[f"n{i}"] for i in (position[x], j))
            assert middle(before, along) < middle(after, along)


def test_from_top_to_bottom_the_numbers_stand_to_the_right_of_their_wire():
    graph = groups(draw(lecture(), rankdir="TB"))
    for i in range(37):
        points = graph[f"w{i}"].findall(f"{SVG}polygon")[-1].get("points").split()
        (x, top), (_, bottom) = min(map(pair, points)), max(map(pair, points))
        numbers = graph[f"w{i}"].findall(f"{SVG}text")
        assert len(numbers) == 2
        for text in numbers:
            assert x < float(text.get("x")) < x + 8
            assert min(top, bottom) < float(text.get("y")) < max(top, bottom)


def pair(point):
    return tuple(map(float, point.split(",")))


@pytest.mark.parametrize(
    "label", ["z", r"\mathcal{L}_{\text{CE}}^{(12)}", "MMMMMMM", "日本語", "w" * 99]
)
def test_from_top_to_bottom_a_name_stands_beside_its_circle(label):
    y = Value(1.0, "x").tanh()
    y.label = label
    circle = groups(draw(y * 1.0, rankdir="TB"))["n1"]
    symbol, *name = (float(text.get("x")) for text in circle.findall(f"{SVG}text"))
    (left, right), _ = corners(circle)
    assert left < symbol < (left + right) / 2
    assert min(name) >= right


def test_a_direction_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="rankdir cannot be 'BT'; choose one of LR, TB"):
        draw(toy(), rankdir="BT")


def uses(count):
    x = Value(2.0, "x")
    f = x
    for _ in range(count - 1):
        f = f + x
    f.backward()
    return draw(f)


def test_a_leaf_of_many_uses_is_drawn_at_each_with_its_contribution():
    source = uses(20).source
    assert source.count('style="dashed,filled"') == 19
    assert "style=dashed" not in source
    graph = groups(uses(20))
    assert texts(graph["w0"], "grad") == ["20"]
    assert [texts(graph[f"e{j}_1"], "grad") for j in range(2, 20)] == [["1"]] * 18
    assert "again" in legend(uses(20))


def test_a_leaf_of_few_uses_beside_each_other_is_a_fork():
    assert "dashed" not in draw(neuron()).source


@pytest.mark.slow
def test_what_takes_long_can_be_interrupted(tmp_path):
    script = (
        "import random; from micrograd_lab import Value, draw, total\n"
        "random.seed(1); v = [Value(k, f'x_{k}') for k in range(20)]\n"
        "for _ in range(600): v.append(total(random.choice(v) for _ in range(2)))\n"
        "total(v).backward(); picture = draw(total(v), collapse='nothing')\n"
        "print('now', flush=True); picture.svg"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"now\n"
    sleep(0.7)
    process.send_signal(SIGINT)
    start = monotonic()
    assert b"KeyboardInterrupt" in process.communicate(timeout=20)[1]
    assert monotonic() - start < 1.0


def test_a_child_lays_out_the_same_picture():
    source = draw(neuron()).source
    assert render(source, "svg", quick=False) == render(source, "svg")


def test_what_fails_in_a_child_is_told():
    with pytest.raises(RuntimeError, match="Graphviz failed"):
        render("digraph {", "svg", quick=False)


def test_a_name_like_an_option_is_only_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw(toy()).save("-Tpng.svg")
    assert os.listdir() == ["-Tpng.svg"]


def test_a_name_that_says_no_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'-Tpng' has no known format; end it in \.svg, \.png"):
        draw(toy()).save(tmp_path / "-Tpng")
    assert os.listdir(tmp_path) == []


def test_what_was_there_stays_when_drawing_fails(tmp_path, monkeypatch):
    path = tmp_path / "graph.png"
    path.write_text("before")
    without_graphviz(monkeypatch)
    with pytest.raises(RuntimeError):
        draw(toy()).save(path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["graph.png"]


def test_a_png_has_two_pixels_for_each_of_a_page(tmp_path):
    diagram = draw(toy())
    (width,) = re.findall(r'width="(\d+)pt"', diagram.svg)
    with Image.open(diagram.save(tmp_path / "graph.png")) as image:
        assert image.width == pytest.approx(int(width) * 96 / 72 * 2, abs=3)


def without_graphviz(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sysconfig.get_path", lambda name: "")


def test_without_graphviz_the_error_says_what_to_install(tmp_path, monkeypatch):
    without_graphviz(monkeypatch)
    diagram = draw(toy())
    with pytest.raises(RuntimeError, match=r"pip install pygraphviz.*install Graphviz from https"):
        diagram.save(tmp_path / "graph.svg")
    assert diagram.save(tmp_path / "graph.dot").read_text("utf-8") == diagram.source


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_the_dot_program_draws_where_the_wheel_is_missing(tmp_path, monkeypatch):
    picture = tmp_path / "picture.svg"
    picture.write_bytes(render(draw(toy()).source, "svg"))
    program = tmp_path / "dot"
    program.write_text(
        f'#!/bin/sh\n[ "$*" = -Tsvg ] && /bin/cat {picture} || {{ echo no $*; exit 1; }}'
    )
    program.chmod(0o755)
    wanted = draw(toy()).svg
    without_graphviz(monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert draw(toy()).svg == wanted


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_what_the_dot_program_complains_about_is_in_the_error(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho 'Format: \"pdf\" not recognized' >&2\nexit 1")
    program.chmod(0o755)
    without_graphviz(monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match='dot failed: Format: "pdf" not recognized'):
        draw(toy()).save(tmp_path / "graph.pdf")


def test_a_machine_without_fonts_draws_the_same_and_prints_nothing(tmp_path):
    script = (
        "import sys; from micrograd_lab import draw; from micrograd_lab.lecture import network; "
        "result = network('corrected').result; result.backward(); picture = draw(result); "
        "[picture.save(f'{sys.argv[1]}/graph{end}') for end in ('.svg', '.png', '.pdf')]"
    )
    nowhere = str(tmp_path / "nowhere")
    done = run("-c", script, str(tmp_path), FONTCONFIG_FILE=nowhere, FONTCONFIG_PATH=nowhere)
    assert (done.stderr, done.stdout) == ("", "")
    assert (tmp_path / "graph.svg").read_text("utf-8") == draw(lecture()).svg
    assert (tmp_path / "graph.png").read_bytes() == render(draw(lecture()).source, "png")


@pytest.mark.skipif(sys.platform == "darwin", reason="the wheel has no fontconfig there")
def test_a_letter_that_matplotlib_lacks_comes_from_the_fonts_of_the_machine():
    script = (
        "import sys, matplotlib, matplotlib.font_manager as fonts; "
        "here = matplotlib.get_data_path() + '/fonts/ttf/'; "
        "fonts.findSystemFonts = lambda: [here + name for name in sys.argv[1:]]; "
        "from micrograd_lab import Value, draw; "
        "from micrograd_lab.drawing.graph.rendering import render; "
        "draw(Value(1, 'x')).svg; print(render(draw(Value(1, '\\ue040')).source, 'png').hex())"
    )
    box, letter = (run("-c", script, *fonts) for fonts in ([], ["STIXNonUni.ttf"]))
    assert box.stdout != letter.stdout
    assert (box.stderr, letter.stderr) == ("", "")


def test_a_picture_too_long_for_pixels_is_made_smaller_in_silence(tmp_path):
    script = (
        "import sys; from micrograd_lab import Value, draw; x = Value(0.5, 'x')\n"
        "for _ in range(300): x = x.tanh()\n"
        "draw(x, collapse='nothing').save(sys.argv[1])"
    )
    path = tmp_path / "graph.png"
    assert run("-c", script, str(path)).stderr == ""
    with Image.open(path) as image:
        assert image.width == 32_000


def test_pictures_are_drawn_by_several_threads_at_once():
    diagrams = [draw(toy()) for _ in range(8)]
    threads = [Thread(target=lambda each=each: each.svg) for each in diagrams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.svg for each in diagrams} == {draw(toy()).svg}


def test_a_picture_shows_the_numbers_of_when_it_was_drawn():
    f = toy()
    before = draw(f)
    f.backward()
    assert texts(groups(before)["w4"], "grad") == []


@pytest.mark.slow
def test_a_thousand_nodes_are_drawn():
    x = Value(0.1, "x")
    for _ in range(1200):
        x = x.tanh()
    assert 'id="n1200"' in draw(x, collapse="nothing").svg


def test_what_nobody_can_read_is_not_drawn():
    x = Value(0.1, "x")
    for _ in range(3000):
        x = x + 1
    told = r"6001 nodes with 6000 edges .* the 2500 laid out .* draw a part: an earlier"
    with pytest.raises(ValueError, match=told):
        draw(x, collapse="nothing")


def test_a_theme_that_does_not_exist_is_refused():
    with pytest.raises(
        ValueError, match="there is no theme 'blue'; choose one of auto, light, dark"
    ):
        draw(toy(), theme="blue")


def test_themes_differ_in_colours_alone():
    light, dark = (draw(toy(), theme=theme).svg for theme in ("light", "dark"))
    colour = r"#[0-9a-f]{6}"
    assert re.sub(colour, "", light) == re.sub(colour, "", dark)
    assert set(re.findall(colour, light)).isdisjoint(re.findall(colour, dark))


def test_marimo_gets_the_picture_and_a_terminal_gets_a_line():
    diagram = draw(toy())
    assert diagram._mime_() == ("text/html", diagram.html)
    assert repr(diagram) == 'Diagram of f, 5 nodes; show it in a notebook, or .save("graph.svg")'


def test_the_svg_needs_nothing_else_and_says_what_it_shows():
    svg = draw(lecture()).svg
    assert re.findall('https?://[^"]*', svg) == ["http://www.w3.org/2000/svg"]
    assert 'role="img"' in svg
    assert "<title>Computational graph of E, 37 nodes</title>" in svg
    assert "<title>E_1 = half_square(e_1) = 0.162, gradient 1</title>" in svg


def test_a_notebook_that_is_not_trusted_shows_the_picture():
    html = draw(Value(2, '"><script>') * 3).html
    (picture,) = re.findall(r"<img [^>]*>", html)
    alt, source = (re.search(rf'{name}="([^"]*)"', picture)[1] for name in ("alt", "src"))
    source = source.removeprefix("data:image/svg+xml;base64,")
    assert alt == "Computational graph of v3, 3 nodes"
    assert b64decode(source).decode() == draw(Value(2, '"><script>') * 3).svg


def test_one_svg_serves_light_and_dark_pages():
    light, dark, both = (draw(toy(), theme=name).svg for name in ("light", "dark", "auto"))
    assert set(re.findall("#[0-9a-f]{6}", light)) <= set(re.findall("#[0-9a-f]{6}", both))
    assert "light-dark(#00694f,#4fd6a8)" in both
    assert "#4fd6a8" in dark


def test_a_picture_scrolls_before_its_text_is_too_small():
    diagram = draw(lecture())
    smallest = min(float(size) for size in re.findall(r"font-size:([\d.]+)", diagram.svg))
    (points,) = re.findall(r'<svg [^>]*width="(\d+)pt"', diagram.svg)
    (least,) = re.findall(r"min-width:(\d+)px", diagram.html)
    assert int(least) / int(points) * smallest >= 9.8  # pixels


def test_what_takes_no_html_gets_a_png_and_a_pdf():
    bundle = draw(toy())._repr_mimebundle_()
    assert b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert b64decode(bundle["application/pdf"]).startswith(b"%PDF")
    assert bundle["text/plain"] == repr(draw(toy()))


def test_a_png_has_as_many_dots_as_asked_for(tmp_path):
    widths = []
    for dpi in (96, 288):
        with Image.open(draw(toy()).save(tmp_path / "f.png", dpi=dpi)) as picture:
            widths.append(picture.width)
    assert widths[1] == pytest.approx(3 * widths[0], abs=3)


def test_a_script_shows_a_picture_in_the_browser(monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    draw(toy()).show()
    page = Path(urlparse(opened[0]).path).read_text("utf-8")
    assert draw(toy()).html in page


def test_a_diagram_gives_its_source_to_the_graphviz_package():
    assert draw(toy()).graphviz.source == draw(toy()).source


def test_a_tooltip_writes_labels_as_text():
    y = Value(2.0, r"\hat{y}_1").exp()
    assert "<title>input ŷ_1 = 2</title>" in draw(y).svg
