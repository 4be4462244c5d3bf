"""Diagrams of networks: one node per neuron, frames around layers."""

import re
from xml.etree import ElementTree

import pytest

from micrograd_lab import (
    MLP,
    Graph,
    Value,
    cross_entropy,
    dot,
    draw,
    hinge,
    softmax,
    squared_error,
    total,
)
from micrograd_lab.drawing.graph.folding import fold, longest_repetition, neurons, readable

SVG = "{http://www.w3.org/2000/svg}"


def error(nin=2, sizes=(2, 2), activation="sigmoid"):
    model = MLP(nin, sizes, activation=[activation] * len(sizes), seed=1)
    error = squared_error(model([0.1] * nin), [0.5] * sizes[-1] if sizes[-1] > 1 else 0.5)
    error.backward()
    return error


def collapsed(result):
    return neurons(Graph(result, products=False))


def shown(diagram):
    return [text.text for text in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text")]


def test_a_link_is_as_thick_where_it_carries_a_number():
    diagram = draw(error(), collapse="neuron")
    heights = []
    for edge in ElementTree.fromstring(diagram.svg).iter(f"{SVG}g"):
        shapes = [shape.get("points").split() for shape in edge.findall(f"{SVG}polygon")]
        for points in shapes if re.match(r"e[23]_", edge.get("id", "")) else ():
            if len(points) == 5:  # a stretch of wire; arrowheads have four
                (width,) = {*re.findall(rf"id={edge.get('id')} .*penwidth=(\S+)", diagram.source)}
                ys = [float(point.split(",")[1]) for point in points]
                heights.append((max(ys) - min(ys), round(float(width))))
    assert len(heights) == 4
    assert all(height == width for height, width in heights)


def test_a_neuron_is_one_node_without_its_weights():
    graph = collapsed(error())
    names = " ".join(graph.names[node] for node in graph.nodes)
    assert names == "x_1 x_2 z_1 z_2 y_1 y_2 t_1 t_2 e_1 E_1 e_2 E_2 E"
    assert graph.nodes[2].op.symbol == "Σ│σ"
    assert graph.nodes[2].inputs == tuple(graph.nodes[:2])


def test_values_gradients_and_contributions_are_those_of_the_graph():
    result = error()
    full, small = Graph(result, products=False), collapsed(result)
    of = {full.names[node]: node for node in full.nodes}
    for node in small.nodes:
        assert (node.data, node.grad) == (of[small.names[node]].data, of[small.names[node]].grad)
    readers = small.readers()
    for node in small.nodes:
        parts = [small.contribution(reader, i) for reader, i in readers[node]]
        assert sum(parts) == pytest.approx(node.grad) or node is small.result


def test_of_wide_layers_the_middle_is_one_node():
    model = MLP(20, [24, 24, 1], seed=1)
    graph = collapsed(hinge(model([0.1] * 20), 1))
    several = [graph.names[node] for node in graph.nodes if node in graph.several]
    assert several == ["5 more", "9 more", "9 more"]
    assert len(graph) == 16 * 3 + 1 + 5
    (first, second) = [node for node in graph.nodes if graph.names[node] == "9 more"]
    assert len(first.inputs) == len(second.inputs) == 16
    assert len(graph.result.inputs[0].inputs) == 2


def test_the_gradient_of_a_wide_layer_is_not_made_up():
    model = MLP(2, [30, 1], seed=1)
    loss = hinge(model([0.5, 0.25]), 1)
    loss.backward()
    text = shown(draw(loss, collapse="neuron"))
    assert "15 more" in text
    assert "⋮" in text
    assert "nan" not in text


def test_more_than_150_nodes_are_collapsed_unless_asked_not_to():
    small, large = error(), error(sizes=(12, 12, 1))
    assert "Σ│σ" not in shown(draw(small))
    assert "Σ│σ" in shown(draw(large))
    assert "Σ│σ" not in draw(large, collapse="nothing").source
    assert "Σ│σ" in shown(draw(small, collapse="neuron"))


def test_a_large_graph_without_neurons_has_none_to_collapse():
    x = Value(1.0, "x")
    for _ in range(200):
        x = x + 1
    with pytest.raises(ValueError, match="no neuron among 401 nodes"):
        draw(x, collapse="neuron")


def test_a_batch_and_a_penalty_are_collapsed_too():
    model = MLP(2, [3, 1], seed=1)
    samples = [([0, 0], 1), ([1, 0], -1)]
    penalty = 1e-4 * total(p * p for p in model.parameters())
    penalty.label = "penalty"
    loss = total(hinge(model(x), t) for x, t in samples) + penalty
    graph = collapsed(loss)
    assert sum(node.op is not None and node.op.name == "neuron" for node in graph.nodes) == 8
    (leaf,) = [node for node in graph.nodes if node.label == "penalty"]
    assert (leaf.inputs, leaf.data) == ((), penalty.data)
    assert penalty.inputs  # which the user goes on with


def test_inputs_that_are_computed_from_each_other_are_inputs():
    x = [Value(k, f"x_{k}") for k in range(1, 12)]
    features = [*x, *(value * value for value in x)]
    graph = collapsed(MLP(22, [2, 1], seed=1)(features))
    assert [graph.names[node] for node in graph.several] == ["7 more"]
    assert graph.result.label == "s_1"


def test_opened_products_stay_when_they_were_asked_for():
    large = error(sizes=(8, 8, 1))
    assert len(Graph(large, products=True)) > 150
    assert "×" in draw(large, products=True).source
    assert "×" not in draw(large).source


def test_what_neurons_share_with_a_loss_stays():
    model = MLP(2, [3, 20], seed=1)
    scores = model([0.5, 0.25])
    assert collapsed(cross_entropy(scores, [1] + [0] * 19)).several
    assert collapsed(softmax(scores)[0]).several


def test_a_neuron_without_activation_and_one_of_several_operations():
    model = MLP(2, [2, 1], activation=lambda a: a * a.sigmoid(), seed=1)
    graph = collapsed(model([0.5, 0.25]))
    assert [node.op.symbol for node in graph.nodes if node.op] == ["Σ│f", "Σ│f", "Σ"]


@pytest.mark.parametrize("collapse", [None, "neuron"])
def test_layers_get_a_frame(collapse):
    diagram = draw(error(), collapse=collapse, layers=True)
    assert {"hidden layer", "output layer"} <= set(shown(diagram))
    frames = ElementTree.fromstring(diagram.svg).findall(f".//{SVG}g[@class='cluster']")
    assert [frame.get("id") for frame in frames] == ["layer1", "layer2"]
    assert "hidden layer" not in draw(error(), collapse=collapse).source


@pytest.mark.parametrize(("rankdir", "number"), [("LR", r"(-?[\d.]+),"), ("TB", r",(-?[\d.]+)")])
def test_frames_stand_beside_each_other(rankdir, number):
    svg = ElementTree.fromstring(draw(error(), layers=True, rankdir=rankdir).svg)
    corners = []
    for frame in svg.findall(f".//{SVG}g[@class='cluster']"):
        x = [float(x) for x in re.findall(number, frame.find(f"{SVG}path").get("d"))]
        corners.append((min(x), max(x)))
    (_, end), (start, _) = corners
    assert end < start


def test_there_is_one_way_to_collapse():
    with pytest.raises(ValueError, match="cannot collapse 'layer'; choose one of neuron, nothing"):
        draw(error(), collapse="layer")


def test_a_collapsed_diagram_is_the_same_in_every_run():
    assert draw(error(), collapse="neuron").svg == draw(error(), collapse="neuron").svg


def affine(times):
    """v ← 0.5 v + w, again and again."""
    v, w = Value(1.0, "v"), Value(0.1, "w")
    for _ in range(times):
        v = 0.5 * v + w
    v.backward()
    return v


def test_what_repeats_itself_is_drawn_the_first_and_the_last_time():
    graph = fold(Graph(affine(100)))
    (dots,) = graph.several
    assert (graph.names[dots], dots.op.symbol) == ("× 97", "⋯")
    assert [node.op.name for node in graph.nodes if node.op and node is not dots] == [
        *["mul", "add"] * 2,
        *["mul", "add"],
    ]


def test_the_last_time_keeps_its_numbers():
    result = affine(100)
    small = fold(Graph(result))
    assert (small.result.data, small.result.grad) == (result.data, 1.0)
    last = {small.names[node]: node for node in small.nodes}[Graph(result).names[result.inputs[0]]]
    assert (last.data, last.grad) == (result.inputs[0].data, 1.0)


def test_a_graph_that_one_can_read_is_not_folded():
    graph = Graph(affine(30))
    assert fold(graph) is graph


@pytest.mark.parametrize("period", [1, 2, 5])
def test_the_longest_repetition_is_found_whatever_its_length(period):
    v = Value(0.3, "v").exp()
    for _ in range(60):
        for k in range(period):
            v = v.sin() if k % 2 else v.cos()
    nodes, start, length, times = longest_repetition(Graph(v * v))
    assert (length, times) == (period, 60)
    assert nodes[start].op.name == "cos"


def test_samples_of_a_loss_are_folded():
    w = Value(0.5, "w")
    loss = total((w * Value(k, f"x_{k}") - 1.0).half_square() for k in range(100))
    graph = fold(Graph(loss))
    assert [graph.names[node] for node in graph.several] == ["× 98"]
    assert len(graph.result.inputs) == 3


def test_time_steps_with_shared_weights_are_folded():
    w, u = Value(0.5, "w"), Value(0.25, "u")
    h = Value(0.0, "h_0")
    for t in range(60):
        h = (w * h + u * Value(t, f"x_{t}")).tanh()
    graph = fold(Graph(h))
    assert readable(graph)
    assert len(graph.several) == 1
    assert sum(node is w for node in graph.nodes) == 1


def test_edges_count_too():
    graph = Graph(MLP(2, [16, 16, 1], seed=1)([0.5, 0.25]), products=False)
    small = fold(graph)
    assert len(neurons(graph)) < 150  # but with 304 edges
    assert {small.names[node] for node in small.several} == {"11 more"}


def test_links_show_their_weights():
    source = draw(MLP(2, [16, 16, 1], seed=1)([0.5, 0.25])).source
    widths = [float(width) for width in re.findall(r"penwidth=([\d.]+)", source)]
    assert max(widths) == 3.5
    assert len(set(widths)) > 20
    assert "weight &gt; 0" in source


def test_of_what_an_operation_reads_the_middle_is_one_node():
    x = [Value(k, f"x_{k}") for k in range(400)]
    graph = fold(Graph(total(x)))
    assert [graph.names[node] for node in graph.several] == ["385 more"]
    names = [graph.names[node] for node in graph.result.inputs]
    assert names[:2] == ["x_0", "x_1"]
    assert (names[8], names[-1], len(names)) == ("385 more", "x_399", 16)


def test_what_is_read_a_thousand_times_is_drawn_in_a_moment():
    x = Value(2.0, "x")
    f = dot([x] * 1000, [x] * 1000)
    f.backward()
    shown_numbers = shown(draw(f))
    assert {"4000", "1985 more"} <= set(shown_numbers)
