"""Matplotlib pictures: what stands in them, and that no text covers another."""

import math
import re
import subprocess
import sys
from itertools import combinations

import pytest

from micrograd_lab import (
    MLP,
    Adam,
    Graph,
    Module,
    Value,
    cross_entropy,
    dot,
    draw_network,
    gate,
    hinge,
    moons,
    plot_activation,
    plot_decision_boundary,
    plot_gradient_flow,
    plot_history,
    plot_training,
    softmax,
    squared_error,
    total,
)
from micrograd_lab.nn.training import History
from micrograd_lab.ops import OPS
from micrograd_lab.tell.notation import number

LECTURE = {
    "w_{1,1}^{(1)}": 0.15, "w_{2,1}^{(1)}": 0.2, "w_{0,1}^{(1)}": 0.1,
    "w_{1,2}^{(1)}": 0.2, "w_{2,2}^{(1)}": 0.3, "w_{0,2}^{(1)}": 0.2,
    "w_{1,1}^{(2)}": 0.4, "w_{2,1}^{(2)}": 0.5, "w_{0,1}^{(2)}": 0.2,
    "w_{1,2}^{(2)}": 0.45, "w_{2,2}^{(2)}": 0.55, "w_{0,2}^{(2)}": 0.1,
}  # fmt: skip


def lecture_error():
    """Lecture 7's network on its sample, before backward."""
    model = MLP(2, [2, 2], activation=["sigmoid", "sigmoid"])
    model.load_state_dict(LECTURE)
    return squared_error(model([0.12, 0.3]), [0.1, 0.9])


def trained(nin, sizes, activation="tanh", loss=squared_error, targets=None):
    """The loss of a network on one sample, after backward."""
    model = MLP(nin, sizes, activation=activation, seed=1)
    outputs = model([0.1 * (i + 1) for i in range(nin)])
    error = loss(outputs, targets or ([0.5] * sizes[-1] if sizes[-1] > 1 else 0.5))
    error.backward()
    return error


def long_names():
    x = [Value(1, "the first of all inputs that there are"), Value(2, "x_{a b}^{and more}")]
    z = []
    for k in (1, 2):
        weights = [Value(1.2345e-12, f"weight number {i} of neuron {k}") for i in (1, 2)]
        a = dot(weights, x, Value(-1e9 / 3, "w bias of neuron"))
        a.label = "the sum of a neuron"
        z.append(a.sigmoid())
        z[-1].label = f"hidden value number {k}"
    y = dot([Value(1, "w"), Value(2, "w_2")], z)
    y.label = "the output of the network"
    error = (y - Value(1, "a target with a long name")).half_square()
    error.label = "loss of sample 3 in the batch"
    error.backward()
    return error


def many_targets():
    y = MLP(2, [1], seed=1)([0.5, 0.25])
    return total([(y - Value(k, f"t_{k}")).half_square() for k in range(1, 9)])


NETWORKS = {
    "lecture": lecture_error,
    "3-3-2": lambda: trained(3, [3, 2]),
    "4-4-1": lambda: trained(4, [4, 1], "sigmoid"),
    "1-1": lambda: trained(1, [1]),
    "2-6-5-2": lambda: trained(2, [6, 5, 2], "softplus"),
    "2-16-16-1": lambda: trained(2, [16, 16, 1], "relu", hinge, 1),
    "64-32-10": lambda: trained(64, [32, 10], "relu", cross_entropy, [1] + [0] * 9),
    "ten sigmoids in a row": lambda: trained(1, [1] * 10, "sigmoid"),
    "30 layers": lambda: trained(2, [3] * 30, "sigmoid"),
    "long names": long_names,
    "many targets": many_targets,
    "large model": lambda: MLP(8, [8, 1], seed=1),
    "model": lambda: MLP(3, [4, 2], seed=1),
}


def drawn(picture):
    """Every text that is really drawn: ticks outside the axes are not."""
    from matplotlib.text import Text

    texts = []
    draw = Text.draw
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", lambda self, *args: (texts.append(self), draw(self, *args)))
        picture.figure.canvas.draw()
    return [text for text in texts if text.get_text().strip() and text.get_visible()]


def words(picture):
    """Every text in the picture, without the marks of mathematics."""
    from matplotlib.text import Text

    texts = [text.get_text() for text in picture.figure.findobj(Text)]
    return [unmarked(text) for text in texts if text]


def unmarked(text):
    return text.translate({ord(c): "" for c in "${}"})


def outlines(picture):
    """Every text with its outline, turned as the text is."""
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    renderer = picture.figure.canvas.get_renderer()
    texts = []
    for text in drawn(picture):
        angle = text.get_rotation()
        text.set_rotation(0)
        box = text.get_window_extent(renderer).padded(-0.5)
        text.set_rotation(angle)
        anchor = text.get_transform().transform(text.get_position())
        turned = Affine2D().rotate_deg_around(*anchor, angle)
        corners = turned.transform(box.corners()[[0, 1, 3, 2, 0]])
        texts.append((text.get_text(), Path(corners, closed=True)))
    assert texts
    return texts


def overlaps(texts):
    return [
        (a, b)
        for (a, one), (b, other) in combinations(texts, 2)
        if one.intersects_path(other, filled=True)
    ]


def outside(texts, page):
    return [
        name
        for name, outline in texts
        if not page.contains(*outline.get_extents().min)
        or not page.contains(*outline.get_extents().max)
    ]


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_no_text_covers_another_or_leaves_the_page(make):
    picture = draw_network(make())
    texts = outlines(picture)
    assert overlaps(texts) == []
    assert outside(texts, picture.figure.bbox) == []


def test_no_text_of_a_network_on_a_dark_page_is_dark():
    from matplotlib.colors import to_rgb

    error = lecture_error()
    error.backward()
    for text in drawn(draw_network(error, theme="dark")):
        assert max(to_rgb(text.get_color())) > 0.5


def test_the_check_for_overlaps_sees_one():
    picture = draw_network(lecture_error())
    axes = picture.figure.axes[0]
    axes.text(0, 0, "here", rotation=30)
    axes.text(3, 3, "there")
    assert overlaps(outlines(picture)) == [("here", "there")]


def test_the_lecture_network_shows_every_number_of_the_lecture():
    error = lecture_error()
    error.backward()
    shown = words(draw_network(error))
    for word in (
        "input layer",
        "hidden layer",
        "output layer",
        "error",
        "E",
        "0.191",
        "t_1",
        "t_2",
    ):
        assert word in shown
    assert {"w_1,1^(1)", "w_2,2^(2)", "w_0,1^(1)"} <= set(shown)
    assert {"x_1", "x_2", "a_1", "z_2", "s_1", "y_2"} <= {word.split("^")[0] for word in shown}
    assert {"0.178", "0.544", "0.314", "0.578", "0.707", "0.670", "0.663", "0.660"} <= set(shown)
    assert {"0.0686", "0.000779", "−0.0293", "0.126", "0.570", "−0.240"} <= set(shown)
    assert r"\Sigma\,\frac\left(y - t\right)^22" in shown
    assert shown.count(r"\sigma") == 4
    assert shown.count("1") == 4


def test_no_gradient_is_shown_before_backward():
    shown = words(draw_network(lecture_error()))
    assert "0.178" in shown
    assert "gradient" not in shown
    assert "0.0686" not in shown


def test_a_model_is_drawn_with_its_weights_but_no_values():
    shown = words(draw_network(MLP(2, [2, 1], seed=7)))
    assert {"weight w", "width and colour: weight w", "x_1"} <= set(shown)
    assert "value" not in shown


def looks(picture):
    """Width and colour of every line."""
    return [(line.get_linewidth(), line.get_color()) for line in picture.figure.axes[0].lines]


def test_no_gradient_that_is_left_over_colours_a_model():
    model = MLP(2, [16, 1], seed=1)
    before = looks(draw_network(model))
    squared_error(model([1.0, 2.0]), 5.0).backward()
    assert looks(draw_network(model)) == before
    for parameter in model.parameters():
        parameter.grad = 0.0
    assert looks(draw_network(model)) == before
    assert len(set(before)) > 20


WEIGHTS = {"w_1": 16, "w_2": 4, "w_3": -1}
LINKS = {
    "weight": lambda: (dot([Value(w, name) for name, w in WEIGHTS.items()], xs()), None),
    "gradient": lambda: (dot([Value(1, name) for name in WEIGHTS], xs(16, 4, -1)), None),
    "update": lambda: (dot([Value(1, name) for name in WEIGHTS], xs(-16, -4, 1)), None),
}


def xs(*numbers):
    return [Value(x, f"x_{i}") for i, x in enumerate(numbers or (1, 1, 1), start=1)]


@pytest.mark.parametrize("links", LINKS)
def test_width_and_colour_of_a_link_follow_the_square_root_of_what_it_shows(links):
    result, _ = LINKS[links]()
    strong, weak, negative = looks(draw_network(result, links=links))[:3]
    if links == "weight":
        assert draw_network(result).svg == draw_network(result, links="weight").svg
    widths = sorted(width - 0.8 for width, _ in (strong, weak, negative))
    assert widths == pytest.approx([0.925, 1.85, 3.7])
    shades = {colour: [int(colour[i : i + 2], 16) for i in (1, 5)] for _, colour in
              (strong, weak, negative)}  # fmt: skip
    assert sum(red < blue for red, blue in shades.values()) == 1


def test_a_result_shows_the_gradient_after_backward_and_before_it_the_weight():
    error = lecture_error()
    assert "width and colour: weight w" in words(draw_network(error))
    assert "width and colour: gradient ∂E/∂w" in words(draw_network(error, links="gradient"))
    error.backward()
    assert "width and colour: gradient ∂E/∂w" in words(draw_network(error))
    assert "width and colour: weight w" in words(draw_network(error, links="weight"))


def test_the_update_is_what_the_next_step_of_the_optimizer_does():
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    adam = Adam(model.parameters(), lr=0.01)
    for _ in range(3):
        squared_error(model([1.0, 2.0]), 5.0).backward()
        before = {p: p.data for p in model.parameters()}
        shown = words(draw_network(model, optimizer=adam))
        adam.step()
        steps = [p.data - before[p] for p in model.parameters()]
    assert "width and colour: next step Δw of Adam" in shown
    assert {number(step) for step in steps} <= set(shown)


def test_looking_at_the_next_step_does_not_change_it():
    after = []
    for look in (False, True):
        model = MLP(2, [2, 1], seed=1)
        adam = Adam(model.parameters(), lr=0.01)
        for _ in range(3):
            squared_error(model([1.0, 2.0]), 5.0).backward()
            if look:
                draw_network(model, optimizer=adam)
            adam.step()
        after.append([p.data for p in model.parameters()])
    assert after[0] == after[1]


def test_without_an_optimizer_the_update_is_the_gradient_downhill():
    model = MLP(1, [1], seed=1)
    loss = squared_error(model([2.0]), 1.0)
    loss.backward()
    shown = words(draw_network(model, links="update"))
    assert {number(-p.grad) for p in model.parameters()} <= set(shown)
    assert "width and colour: next step Δw = −η·∂E/∂w, for η = 1" in shown


def test_links_that_cannot_be_shown_are_refused():
    model = MLP(2, [2, 1], seed=1)
    with pytest.raises(ValueError, match="links is 'bias'; choose one of weight, gradient, update"):
        draw_network(model, links="bias")
    for links in ("gradient", "update"):
        with pytest.raises(ValueError, match="no gradients yet; call backward on its loss first"):
            draw_network(model, links=links)
    with pytest.raises(TypeError, match="optimizer must be an SGD, Adam or AdamW, got 3"):
        draw_network(model, optimizer=3)
    other = Adam(MLP(1, [1]).parameters())
    with pytest.raises(
        ValueError, match="none of the optimizer's 2 parameters are in this network"
    ):
        draw_network(model, optimizer=other)
    with pytest.raises(ValueError, match="an optimizer says nothing about links='weight'"):
        draw_network(model, links="weight", optimizer=Adam(model.parameters()))


def test_of_wide_layers_and_deep_networks_the_middle_is_dots_with_what_it_hides():
    model = MLP(64, [40, 10], seed=1)
    shown = [" ".join(word.split()) for word in words(draw_network(model))]
    hidden = [abs(w.data) for n in model.layers[0].neurons for w in n.w[8:57]]
    ends = number(min(hidden), digits=2), number(max(hidden), digits=2)
    assert shown.count("⋮") == 2
    assert f"49 more: |w| {ends[0]} to {ends[1]}" in shown
    assert any(word.startswith("25 more: |w| 0.0") for word in shown)
    assert {"x_8", "x_58"} <= set(shown)
    assert "x_9" not in shown
    deep = [" ".join(word.split()) for word in words(draw_network(MLP(2, [2] * 20, seed=1)))]
    assert "⋯" in deep
    titles = [word for word in deep if word.endswith("layer") or word.startswith("hidden")]
    assert any(word.startswith(f"{21 - len(titles)} more layers: |w| 0.0") for word in deep)
    assert {"input layer", "hidden layer 5", "hidden layer 16", "output layer"} <= set(titles)
    assert "hidden layer 9" not in titles


READABLE = NETWORKS | {
    "784-128-10": lambda: MLP(784, [128, 10], seed=1),
    "4 and 12 threes": lambda: MLP(4, [3] * 12 + [1], seed=1),
    "20 wide layers": lambda: MLP(2, [20] * 20, seed=1),
}
del READABLE["long names"]


@pytest.mark.parametrize("make", READABLE.values(), ids=READABLE)
def test_no_text_of_a_network_is_below_10_pixels_on_a_page_of_760(make):
    picture = draw_network(make())
    scale = min(760 / picture.figure.get_size_inches()[0] / 72, 96 / 72)
    for text in drawn(picture):
        assert text.get_fontsize() * scale > 9.99


@pytest.mark.parametrize("name", ["2-16-16-1", "64-32-10", "20 wide layers"])
def test_no_link_crosses_a_neuron(name):
    figure = draw_network(READABLE[name]()).figure
    circles = [patch for patch in figure.axes[0].patches if getattr(patch, "radius", 0) > 5]
    assert len(circles) > 30
    for line in figure.axes[0].lines:
        (x0, y0), (x1, y1) = line.get_xydata()
        for circle in circles if y0 != y1 else ():
            x, y = circle.center
            along = min(max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0))
                            / ((x1 - x0) ** 2 + (y1 - y0) ** 2), 0), 1)  # fmt: skip
            apart = math.dist((x, y), (x0 + along * (x1 - x0), y0 + along * (y1 - y0)))
            assert apart > circle.radius - 0.01 or x in (x0, x1)


def test_sums_of_products_written_out_by_hand_are_neurons_too():
    x = [Value(0.12, "x_1"), Value(0.3, "x_2")]
    w = [Value(0.15, "w_1"), Value(0.2, "w_2")]
    by_hand = (sum((wi * xi for wi, xi in zip(w, x)), Value(0.1, "b"))).tanh()
    by_dot = dot(w, x, Value(0.1, "b")).tanh()
    assert words(draw_network(by_hand)) == words(draw_network(by_dot))


def test_an_activation_of_several_operations_is_one_neuron():
    def swish(a):
        return a * a.sigmoid()

    model = MLP(2, [2, 1], activation=swish, seed=1)
    shown = words(draw_network(model([1.0, 2.0])))
    assert shown.count("f") == 2
    assert "hidden layer" in shown


def test_a_skipped_layer_and_a_missing_link_are_drawn():
    x = [Value(1, "x_1"), Value(2, "x_2")]
    z = dot([Value(1, "w_{1,1}^{(1)}")], x[:1], Value(0, "w_{0,1}^{(1)}")).relu()
    y = dot([Value(2, "w_{1,1}^{(2)}"), Value(3, "w_{s}")], [z, x[1]], Value(0, "w_{0,1}^{(2)}"))
    lines = draw_network(y).figure.axes[0].lines
    assert len(lines) == 3 + 2 + 1 + 5  # links, biases, the rule between Σ and ReLU, the legend


def test_unlabelled_weights_are_found_when_they_are_given():
    w, b = [Value(1), Value(2)], Value(3)
    result = dot(w, [Value(4, "x_1"), Value(5, "x_2")], b).tanh()
    with pytest.raises(ValueError, match=r"no neuron among 7 nodes.*label the weights"):
        draw_network(result)
    assert "tanh" in words(draw_network(result, parameters=[*w, b]))


def test_a_network_applied_to_several_samples_is_refused():
    model = MLP(2, [2, 1], seed=1)
    loss = total([model([0.0, 1.0]), model([1.0, 0.0]), model([1.0, 1.0])])
    with pytest.raises(ValueError, match=r"3 neurons share the weight w_.* one, or the model"):
        draw_network(loss)


def test_a_neuron_that_reads_something_else_is_refused_by_name():
    x = [Value(1, "x_1"), Value(2, "x_2")]
    z = [dot([Value(1, f"w_{k}")], [x[k]]).tanh() for k in (0, 1)]
    both = z[0] * z[1]
    both.label = "p"
    with pytest.raises(ValueError, match=r"w_3 weighs p \(mul\)"):
        draw_network(dot([Value(1, "w_3")], [both]))


def test_what_is_no_network_is_refused():
    for wrong in (None, 0.5, Graph(Value(1))):
        with pytest.raises(TypeError, match="must be a Value, a list of them or a model, got "):
            draw_network(wrong)
    with pytest.raises(TypeError, match="an output of a network must be a Value, got 1"):
        draw_network([1, 2])
    with pytest.raises(ValueError, match="0 outputs"):
        draw_network([])
    with pytest.raises(ValueError, match="the number of inputs of"):
        draw_network(Module())
    with pytest.raises(
        ValueError, match="there is no theme 'sepia'; choose one of auto, light, dark"
    ):
        draw_network(lecture_error(), theme="sepia")


@pytest.mark.parametrize(
    "label", ["$5 & \\x", "a_b_c", "<b>", "w^{~}", "loss of sample 3", "", "θ", "重み", "出力🙂"]
)
def test_any_label_can_be_drawn(label):
    x = Value(1, label)
    result = dot([Value(2, "w")], [x], Value(0, "b_" + label)).relu()
    result.label = label
    assert draw_network(result).html


def test_nan_and_infinity_are_drawn():
    x = Value(math.inf, "x")
    result = dot([Value(2, "w")], [x], Value(math.nan, "b")).tanh()
    result.backward()
    assert "∞" in words(draw_network(result))


def test_a_long_chain_is_drawn_without_recursion():
    x = Value(0.1, "x")
    for k in range(2000):
        x = dot([Value(1.0, f"w_{{{k}}}")], [x])
    assert "1985" not in words(draw_network(x))


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_picture_gives_the_same_file(tmp_path, kind):
    error = trained(1, [1])
    first, second = tmp_path / f"1.{kind}", tmp_path / f"2.{kind}"
    draw_network(error, theme="dark").save(first)
    draw_network(error, theme="dark").save(second)
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    assert first.read_bytes().startswith(starts[kind])
    assert first.read_bytes() == second.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"1.{kind}", f"2.{kind}"]


def test_a_picture_is_saved_only_in_a_format_that_it_knows(tmp_path):
    picture = draw_network(lecture_error())
    with pytest.raises(ValueError, match=r"'a\.gif' has no known format; end it in \.svg"):
        picture.save(tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_pictures_touch_neither_pyplot_nor_the_settings():
    program = (
        "import sys, matplotlib\n"
        "from micrograd_lab import MLP, draw_network\n"
        "def settings(): return {k: matplotlib.rcParams[k] for k in keys}\n"
        "keys = [k for k in matplotlib.rcParams if k != 'backend']  # which would load pyplot\n"
        "before = settings()\n"
        "draw_network(MLP(2, [2, 1])).html\n"
        "assert settings() == before and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def xor_by_hand():
    """The lecture's XOR: OR and NAND, then AND."""
    model = MLP(2, [2, 1], activation=["step", "step"])
    by_hand = (1, 1, -0.5), (-1, -1, 1.5), (1, 1, -1.5)
    for parameter, weight in zip(model.parameters(), [n for row in by_hand for n in row]):
        parameter.data = weight
    return model


def backwarded(activation, sizes=(4,) * 5 + (1,)):
    model = MLP(2, sizes, activation=activation, seed=1)
    squared_error(model([0.5, -0.3]), 1).backward()
    return model


CURVES = {
    "activations": plot_activation,
    "one activation": lambda theme: plot_activation("softplus", theme=theme),
    "xor": lambda theme: plot_decision_boundary(xor_by_hand(), *gate("xor"), theme=theme),
    "moons": lambda theme: plot_decision_boundary(
        MLP(2, [6, 1], seed=3), *moons(40, seed=1), resolution=20, theme=theme
    ),
    "history": lambda theme: plot_history(History([9.0, 0.3, 0.02], [8.0, 1.0, 2.0]), theme=theme),
    "one epoch": lambda theme: plot_history(History([0.0]), theme=theme),
    "gradient flow": lambda theme: plot_gradient_flow(
        {"sigmoid": backwarded("sigmoid"), "relu": backwarded("relu")}, theme=theme
    ),
}


@pytest.mark.parametrize("plot", CURVES.values(), ids=CURVES)
def test_no_text_of_a_curve_covers_another_or_leaves_the_page(plot):
    picture = plot(theme="light")
    texts = outlines(picture)
    assert overlaps(texts) == []
    assert outside(texts, picture.figure.bbox) == []


@pytest.mark.parametrize("plot", CURVES.values(), ids=CURVES)
def test_no_text_on_a_dark_page_is_dark(plot):
    from matplotlib.colors import to_rgb

    picture = plot(theme="dark")
    assert max(picture.figure.get_facecolor()[:3]) < 0.2
    for text in drawn(picture):
        assert max(to_rgb(text.get_color())) > 0.5


IN_THEMES = CURVES | {
    "three classes": lambda theme: plot_decision_boundary(
        MLP(2, [3, 3], seed=1), [(0, 0), (1, 0), (0, 1)], [0, 1, 2], resolution=9, theme=theme
    ),
    "training": lambda theme: plot_training(
        xor_by_hand(), *gate("xor"), History([2.0, 1.0]), theme=theme
    ),
    "lecture": lambda theme: draw_network(trained(2, [2, 2]), theme=theme),
    "model": lambda theme: draw_network(MLP(2, [16, 16, 1], seed=1), theme=theme),
}


@pytest.mark.parametrize("plot", IN_THEMES.values(), ids=IN_THEMES)
def test_one_svg_has_the_colours_of_both_themes(plot):
    light, dark = (re.findall("#[0-9a-f]{6}", plot(theme=name).svg) for name in ("light", "dark"))
    assert len(light) == len(dark)
    both = re.findall(r":(#\w+);[\w-]+:light-dark\((#\w+),(#\w+)\)", plot(theme="auto").svg)
    assert all(first == again for first, again, _ in both)
    pairs = {(again, other) for _, again, other in both}
    others = {}
    for first, other in zip(light, dark):
        others.setdefault(first, []).append(bytes.fromhex(other[1:]))
    for first, other in pairs:  # two mixtures that are the same light colour may be two dark ones
        assert min(apart(bytes.fromhex(other[1:]), each) for each in others[first]) <= 3
    assert {first for first, _ in pairs} == set(light)


def apart(colour, other):
    return max(abs(a - b) for a, b in zip(colour, other))


@pytest.mark.parametrize("plot", IN_THEMES.values(), ids=IN_THEMES)
def test_the_svg_for_both_themes_has_the_shapes_of_the_light_one(plot):
    light, both = (places(plot(theme=name).svg) for name in ("light", "auto"))
    assert light.keys() == both.keys()
    for where, numbers in light.items():
        assert both[where] == pytest.approx(numbers, abs=0.1)


def places(svg):
    """The numbers in the places and scales of all shapes of an SVG."""
    told = re.findall(r' (d|transform|x|y|points)="([^"]*)"', svg)
    return {
        (i, name): [float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", text)]
        for i, (name, text) in enumerate(told)
    }


def test_axes_of_a_figure_of_ones_own_stay_light():
    from matplotlib.figure import Figure

    picture = plot_history(History([1.0, 0.5]), ax=Figure().add_subplot())
    assert "light-dark" not in picture.svg


def test_a_png_and_a_pdf_are_light_unless_dark_is_asked_for():
    plots = [plot_history(History([1.0, 0.5]), theme=name) for name in ("auto", "light", "dark")]
    for kind in ("png", "pdf"):
        auto, light, dark = (plot._render(kind) for plot in plots)
        assert auto == light != dark


@pytest.mark.parametrize("plot", IN_THEMES.values(), ids=IN_THEMES)
def test_a_picture_fits_a_page_of_760_pixels_with_text_of_10(plot):
    picture = plot(theme="auto")
    (least,) = re.findall(r"min-width:(\d+)px", picture.html)
    assert int(least) <= 736
    sizes = [text.get_fontsize() for text in drawn(picture) if "^" not in text.get_text()]
    assert min(sizes) * int(least) / picture._points[0] >= 9.9


def test_no_gap_is_left_between_the_regions_of_classes():
    model, points = MLP(2, [6, 3], seed=1), [(0, 0), (1, 0), (0, 1)]
    axes = plot_decision_boundary(model, points, [0, 1, 2], resolution=9).figure.axes[0]
    regions = [path for found in axes.collections[:3] for path in found.get_paths()]
    grid = [(-0.14 + x / 50, -0.14 + y / 50) for x in range(64) for y in range(64)]
    assert [at for at in grid if not any(region.contains_point(at) for region in regions)] == []


UNARY = [op for op in OPS.values() if op.unary]


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_an_activation_is_drawn_as_the_table_has_it(op):
    axes = plot_activation(op.name).figure.axes[0]
    values, slopes = axes.lines[:2]
    i = 300  # a place right of 0, unless a gap was put in before it
    x = values.get_xdata()[i]
    f = getattr(Value(x), op.name)()
    assert values.get_ydata()[i] == f.data
    assert slopes.get_ydata()[list(slopes.get_xdata()).index(x)] == f.slopes[0]


def test_a_jump_is_not_joined():
    step = plot_activation("step").figure.axes[0].lines[0]
    relu = plot_activation("relu").figure.axes[0].lines
    assert sum(map(math.isnan, step.get_ydata())) == 1
    assert [sum(map(math.isnan, line.get_ydata())) for line in relu[:2]] == [0, 1]


def test_the_formulas_of_an_activation_are_the_table_in_words():
    shown = words(plot_activation("relu"))
    assert r"f(x) = x\;\mathrmif\;x > 0,\;0\;\mathrmotherwise" in shown


def test_an_activation_that_is_not_in_the_table_is_refused():
    with pytest.raises(ValueError, match=r"no operation 'mul' of one input; there are neg, .*tanh"):
        plot_activation("sigmoid", "mul")


def test_the_boundary_shows_the_line_of_each_hidden_neuron():
    axes = plot_decision_boundary(xor_by_hand(), *gate("xor")).figure.axes[0]
    assert [unmarked(text.get_text()) for text in axes.texts] == ["z_1", "z_2"]
    first, second = axes.lines
    for line, both in ((first, 0.5), (second, 1.5)):  # OR: x_1 + x_2 = ½; NAND: x_1 + x_2 = 1½
        assert [x + y for x, y in line.get_xydata()] == pytest.approx([both, both])


def test_the_boundary_is_where_the_last_sum_is_zero():
    for last in ("sigmoid", "step", "tanh", None):
        model = MLP(2, [1], activation=[last], seed=1)
        model.load_state_dict({"w_{1,1}^{(1)}": 1.0, "w_{2,1}^{(1)}": 0.0, "w_{0,1}^{(1)}": -0.25})
        axes = plot_decision_boundary(model, *gate("xor")).figure.axes[0]
        line = axes.collections[1].get_paths()[0].vertices
        assert line[:, 0] == pytest.approx(0.25, abs=0.01)


def test_a_boundary_can_be_drawn_for_any_function_and_for_several_classes():
    picture = plot_decision_boundary(lambda x: x[0] * x[1], [(-1, 1), (1, 1)], [0, 1], resolution=9)
    assert "hidden neurons: Σ = 0" not in [
        t.get_text() for t in picture.figure.axes[0].get_legend().texts
    ]
    model = MLP(2, [3, 3], seed=1)
    labels = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    picture = plot_decision_boundary(
        lambda x: softmax(model(x)), [(0, 0), (1, 0), (0, 1)], labels, resolution=9
    )
    assert [t.get_text() for t in picture.figure.axes[0].get_legend().texts][:3] == ["0", "1", "2"]


@pytest.mark.parametrize("model", [MLP(2, [1], seed=1), MLP(2, [2], seed=1)])
def test_points_may_come_in_frames_and_with_names_of_classes(model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"width": [0, 1, 2], "height": [0.5, 1, 0]}, index=[7, 3, 5])
    labels = pandas.Series(["dog", "cat", "dog"], index=[7, 3, 5])
    picture = plot_decision_boundary(model, frame, labels, resolution=5)
    assert [t.get_text() for t in picture.figure.axes[0].get_legend().texts][:2] == ["cat", "dog"]
    dogs = picture.figure.axes[0].collections[-1].get_offsets()
    assert dogs.tolist() == [[0, 0.5], [2, 0]]


def test_points_that_are_not_in_a_plane_are_refused():
    model = MLP(2, [1], seed=1)
    with pytest.raises(ValueError, match="2 points and 1 labels"):
        plot_decision_boundary(model, [(0, 0), (1, 1)], [0])
    with pytest.raises(ValueError, match="0 points and 0 labels"):
        plot_decision_boundary(model, [], [])
    with pytest.raises(ValueError, match=r"point 0 is \[0.*, 0.*, 1.*\]; a plane needs two"):
        plot_decision_boundary(model, [(0, 0, 1), (1, 1, 1)], [0, 1])
    with pytest.raises(ValueError, match="point 1: x_2 is nan; leave it out"):
        plot_decision_boundary(model, [(0, 0), (1, math.nan)], [0, 1])


def test_what_divides_no_plane_is_refused():
    points = [(0, 0), (1, 1)]
    with pytest.raises(TypeError, match=r"must return a Value or a list of them, got 3\.0"):
        plot_decision_boundary(lambda x: 3.0, points, [0, 1])
    with pytest.raises(TypeError, match="label 1 is 2 among texts; give texts or numbers alone"):
        plot_decision_boundary(MLP(2, [1], seed=1), points, ["cat", 2], resolution=2)
    with pytest.raises(ValueError, match="resolution is 1; it needs to be at least 2"):
        plot_decision_boundary(MLP(2, [1], seed=1), points, [0, 1], resolution=1)
    with pytest.raises(ValueError, match="2 inputs to a neuron with 3"):
        plot_decision_boundary(MLP(3, [1], seed=1), points, [0, 1])


def test_nan_leaves_the_plane_blank():
    picture = plot_decision_boundary(lambda x: x[0] * math.nan, [(0, 0), (1, 1)], [0, 1])
    assert len(picture.figure.axes[0].collections) == 2  # the points alone


def test_a_history_shows_its_least_validation_loss():
    axes = plot_history(History([9.0, 0.3, 0.02], [8.0, 1.0, 2.0])).figure.axes[0]
    assert axes.get_yscale() == "log"
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["loss", "validation", "least: 1 after epoch 2"]
    with pytest.raises(ValueError, match="0 epochs"):
        plot_history(History())
    nan = plot_history(History([math.nan, 2.0, math.inf])).figure.axes[0]
    assert nan.get_legend().get_texts()[1].get_text() == "least: 2 after epoch 2"


def test_gradient_flow_shows_the_mean_of_each_layer():
    model = backwarded("sigmoid", (3, 2, 1))
    line = plot_gradient_flow(model).figure.axes[0].lines[-1]
    assert list(line.get_xdata()) == [1, 2, 3]
    sizes = [abs(p.grad) for p in model.layers[1].parameters()]
    assert line.get_ydata()[1] == pytest.approx(sum(sizes) / len(sizes))


def test_gradient_flow_says_what_its_bars_and_dots_are():
    axes = plot_gradient_flow({"deep": backwarded("sigmoid", (3, 2, 1))}).figure.axes[0]
    shown = [text.get_text() for text in axes.figure.findobj(type(axes.title))]
    assert axes.get_title(loc="left") == ("Size of the gradients of each layer's parameters")
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("|∂E/∂w|", "layer: 1 reads the inputs")
    assert {"mean", "smallest above 0 to largest", "deep"} <= set(shown)


PLOTS = {
    "boundary": lambda ax: plot_decision_boundary(xor_by_hand(), *gate("xor"), ax=ax),
    "history": lambda ax: plot_history(History([2.0, 1.0]), ax=ax),
    "gradient flow": lambda ax: plot_gradient_flow(backwarded("tanh"), ax=ax),
    "activation": lambda ax: plot_activation("tanh", ax=ax),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_plot_can_be_drawn_into_axes_of_ones_own(plot):
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    picture = plot(right)
    assert picture.figure is figure
    assert not left.has_data()
    assert right.has_data()


def test_several_activations_need_axes_each():
    with pytest.raises(ValueError, match="2 activations in one ax; give one of them"):
        plot_activation("tanh", "relu", ax=object())


def test_gradient_flow_needs_gradients_and_layers():
    with pytest.raises(ValueError, match="network 'deep' has no gradients yet; call backward"):
        plot_gradient_flow({"deep": MLP(2, [2, 1], seed=1)})
    for wrong in ([MLP(2, [1])], {}, None):
        with pytest.raises(TypeError, match="models must be a network or several by name, got"):
            plot_gradient_flow(wrong)
    model = backwarded("tanh")
    model.parameters()[0].label = "w"
    with pytest.raises(ValueError, match=r"parameter 'w' has no layer"):
        plot_gradient_flow(model)


def test_pictures_are_made_in_several_threads():
    program = """
import sys, threading
from micrograd_lab import MLP, draw_network, plot_activation

sys.setswitchinterval(1e-5)
failed = []


def make(seed):
    try:
        for kind in ("svg", "png", "pdf"):
            draw_network(MLP(2, [3, 1], seed=seed))._render(kind)
            plot_activation("sigmoid")._render(kind)
    except Exception as error:
        failed.append(repr(error))


threads = [threading.Thread(target=make, args=[seed]) for seed in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
