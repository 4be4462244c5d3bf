"""What things show as the last line of a notebook's cell."""

import random
import re

import pytest

from micrograd_lab import (
    MLP,
    Adam,
    Data,
    Graph,
    Value,
    backward_steps,
    digits,
    dot,
    draw,
    explain,
    fit,
    forward_steps,
    gate,
    moons,
    replay,
    step,
)


def toy():
    w, x, b = Value(-2, "w_{1,1}^{(1)}"), Value(5, "x"), Value(3, "b")
    f = w * x + b
    f.label = r"\hat{y}"
    f.backward()
    return f


def shown(thing):
    """The bundle that IPython would show."""
    formatter = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell.instance()
    return formatter.display_formatter.format(thing)[0]


def table(data):
    (text,) = re.findall(r"<pre[^>]*>(.*?)</pre>", shown(data)["text/html"], flags=re.DOTALL)
    return text.split("\n")


model = MLP(2, [3, 1], seed=1)
THINGS = {
    "value": toy,
    "graph": lambda: Graph(toy()),
    "forward step": lambda: next(forward_steps(toy())),
    "backward step": lambda: next(backward_steps(toy())),
    "edge": lambda: next(backward_steps(toy())).edges[0],
    "explanation": lambda: (f := toy()) and explain(f, f.inputs[1]),
    "data": lambda: moons(20, seed=1),
    "model": lambda: model,
    "optimizer": lambda: Adam(model.parameters()),
    "history": lambda: fit(model, *gate("xor"), epochs=2, progress=False),
    "program": lambda: replay(toy()),
    "drawing": lambda: draw(toy()),
    "stepper": lambda: step(toy()),
}


@pytest.mark.parametrize("make", THINGS.values(), ids=THINGS)
def test_nothing_shows_an_address(make):
    bundle = shown(make())
    assert bundle["text/plain"]
    assert not any("object at 0x" in str(text) for text in bundle.values())


def test_a_value_shows_its_name_number_and_gradient_but_no_picture():
    f = toy()
    bundle = shown(f)
    assert bundle.keys() == {"text/html", "text/latex", "text/plain"}
    assert bundle["text/html"] == "<span><i>ŷ</i> = −7, grad = 1</span>"
    assert r"\hat{y} = -7\text{, grad = }1" in bundle["text/latex"]
    assert bundle["text/plain"] == repr(f) == r"Value(\hat{y}: -7, grad=1)"


def test_sub_and_superscripts_of_a_value_stand_below_each_other():
    w = toy().inputs[0].inputs[0]
    assert "<sub>1,1</sub><sup>(1)</sup>" in shown(w)["text/html"]
    assert 'style="display:inline-flex' in shown(w)["text/html"]


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (lambda: Value(1 / 3), "0.333333, grad = 0"),
        (lambda: Value(1e-9, "<b>"), "&lt;b&gt; = 1.00000·10⁻⁹, grad = 0"),
        (lambda: Value(float("inf")), "∞, grad = 0"),
    ],
    ids=["third", "label", "infinity"],
)
def test_any_value_can_be_shown(value, html):
    assert shown(value())["text/html"] == f"<span>{html}</span>"


def test_a_gradient_that_a_program_set_to_none_is_shown():
    w = Value(2, "w")
    w.grad = None
    assert "grad = None" in shown(w)["text/html"]


def test_a_step_shows_its_lines():
    forward, backward = next(forward_steps(toy())), [*backward_steps(toy())][1]
    html = shown(forward)["text/html"]
    assert html.endswith("× <i>x</i> = −2 × 5 = −10</span>")
    assert r"= -2 \cdot 5 = -10" in shown(forward)["text/latex"]
    assert shown(backward)["text/html"].count("<br>") == 1
    assert r"\text{ += }1 \times 5 = 5 \\" in shown(backward)["text/latex"]


def test_a_step_shows_what_has_moved():
    f = toy()
    f.inputs[1].data = 4
    html = shown(next(forward_steps(f)))["text/html"]
    assert "<span>b has moved since this was recorded; shown at its present number<br>" in html


def test_a_graph_says_what_it_is_and_shows_its_drawing():
    graph = Graph(toy())
    assert repr(graph) == r"Graph of \hat{y}: 5 nodes, 2 parameters"
    assert shown(graph)["text/html"] == draw(graph.result).html


def test_a_graph_that_nobody_can_read_shows_a_line():
    pick, pool = random.Random(0), [Value(0.5, "x"), Value(0.25, "y")]
    while len(pool) < 1500:
        a, b = pool[-1], pick.choice(pool)
        pool.append(pick.choice((a * b, a + b, a - b, a.sin())))
    graph = Graph(pool[-1])
    assert shown(graph) == {"text/plain": repr(graph)}


def test_data_show_their_first_samples():
    assert table(gate("xor")) == [
        "4 × 2 inputs; targets: 0 (2), 1 (2)",
        "",
        "x_1  x_2  target",
        "  1    1       0",
        "  1    0       1",
        "  0    1       1",
        "  0    0       0",
    ]


def test_of_many_samples_and_inputs_data_show_the_first_and_last():
    pytest.importorskip("sklearn")
    about, _, head, *rows, dots = table(digits())
    assert about.startswith("1797 × 64 inputs; targets: class 0 (178), class 1 (182)")
    assert head == "x_1  x_2     x_3     x_4  …    x_62    x_63  x_64   target"
    assert (len(rows), dots) == (5, "⋮")


def test_points_of_a_plane_are_drawn_below_their_table():
    assert "<img" in shown(moons(20, seed=1))["text/html"]
    assert "<img" not in shown(Data([[1.0], [2.0]], [0, 1]))["text/html"]
    many = Data([[k, k] for k in range(11)], [k / 2 for k in range(11)])
    assert "<img" not in shown(many)["text/html"]
    assert table(many)[0] == "11 × 2 inputs; targets: 11 different ones"


def test_data_of_a_frame_have_its_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"<width>": [1.5, 2.0], "height": [3.0, 4.0]})
    assert table(Data(frame, ["cat", "dog"]))[2].split() == ["&lt;width&gt;", "height", "target"]


@pytest.mark.parametrize("data", [Data([], []), Data([["a"]], [1])], ids=repr)
def test_data_that_are_none_show_a_line(data):
    assert shown(data) == {"text/plain": repr(data)}


def test_a_dot_product_of_many_inputs_stays_a_line():
    values = [Value(k, f"w_{k}") for k in range(100)]
    assert len(shown(next(forward_steps(dot(values, values))))["text/html"]) < 2000
