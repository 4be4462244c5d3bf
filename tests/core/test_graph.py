import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import ROWS, apply, arity

from micrograd_lab import Graph, Value, dot, total
from micrograd_lab.graph import MAX_READABLE_NODES


def neuron():
    w = [Value(0.15, "w_1"), Value(0.2, "w_2")]
    x = [Value(0.12, "x_1"), Value(0.3, "x_2")]
    a = dot(w, x, Value(0.1, "w_0"))
    a.label = "a"
    return a


def test_a_zero_of_max_says_what_to_write():
    with pytest.raises(TypeError, match=r"got int 0; max\(0, x\) may be 0, maximum\(0, x\) not"):
        Graph(max(0, Value(-1.0)))


def test_nodes_stand_in_the_order_they_were_made():
    w, x = Value(-2, "w"), Value(5, "x")
    graph = Graph(w * x + 3)
    assert [graph.names[node] for node in graph.nodes] == ["w", "x", "v3", "v4", "v5"]


def test_a_second_node_with_the_same_label_is_told_apart():
    a = Value(1.0, "w") + Value(2.0, "w")
    assert list(Graph(a).names.values()) == ["w", "w (v2)", "v3"]


def test_no_label_can_take_the_name_of_another_node():
    labels = ("w", "w (v3)", "w", "v5", "", "v4")
    names = Graph(total([Value(1.0, label) for label in labels])).names.values()
    assert len(set(names)) == len(names) == 7


def test_kinds():
    w, x = Value(-2, "w"), Value(5, "x")
    g = w * x
    graph = Graph(g + 3)
    kinds = [graph.kind(node) for node in graph.nodes]
    assert kinds == ["parameter", "input", "computed", "constant", "result"]


def test_parameters_can_be_named():
    w, x = Value(-2, "w"), Value(5, "x")
    graph = Graph(w * x, parameters=[x])
    assert [graph.kind(node) for node in graph.nodes] == ["input", "parameter", "result"]


def test_a_parameter_is_a_value():
    w, x = Value(-2, "w"), Value(5, "x")
    with pytest.raises(TypeError, match="a parameter must be a Value, got str 'w'"):
        Graph(w * x, parameters=["w"])


def test_a_leaf_is_a_graph():
    x = Value(5, "x")
    assert Graph(x).kind(x) == "input"


def test_readers_say_which_input_they_read():
    a = Value(2.0)
    square = a * a
    assert Graph(square).readers()[a] == [(square, 0), (square, 1)]


def test_gradients_exist_after_backward():
    w = Value(2.0)
    f = w * 0.0
    assert not Graph(f).has_gradients
    f.backward()
    assert Graph(f).has_gradients


def test_a_dot_is_opened_into_its_products():
    graph = Graph(neuron())
    assert [graph.names[node] for node in graph.nodes] == [
        "w_1", "w_2", "x_1", "x_2", "w_0", "a.1", "a.2", "a",
    ]  # fmt: skip
    products = graph.nodes[5:7]
    assert graph.result.inputs == (*products, graph.nodes[4])
    assert products[0].inputs == (graph.nodes[0], graph.nodes[2])


def test_a_dot_can_stay_closed():
    a = neuron()
    assert Graph(a, products=False).result is a


def test_what_would_be_unreadable_stays_closed():
    many = [Value(1.0) for _ in range(MAX_READABLE_NODES)]
    assert len(Graph(dot(many, many))) == MAX_READABLE_NODES + 1
    assert len(Graph(dot(many, many), products=True)) == 2 * MAX_READABLE_NODES + 1


def test_names_are_the_same_opened_and_closed():
    a = neuron().sigmoid() * 2
    closed = set(Graph(a, products=False).names.values())
    opened = {name for name in Graph(a).names.values() if "." not in name}
    assert closed == opened


@given(st.randoms(use_true_random=False))
def test_an_opened_graph_has_the_same_gradients(drawn):
    leaves = [Value(drawn.uniform(0.5, 1.5), f"x_{i}") for i in range(4)]
    values = list(leaves)
    for _ in range(drawn.randint(3, 25)):
        op = drawn.choice([op for op in ROWS if op.variadic] + ROWS)
        try:
            value = apply(op, [drawn.choice(values) for _ in range(arity(op))])
        except ValueError:
            continue
        if abs(value.data) < 1e3:
            values.append(value)
    result = total(values)
    result.backward()
    before = [leaf.grad for leaf in leaves]
    graph = Graph(result, products=True)
    assert graph.result.data == result.data
    for leaf in leaves:
        leaf.grad = 0.0
    graph.result.backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx(before, rel=1e-12)


def test_long_chains_are_numbered_without_recursion():
    y = Value(1.0)
    for _ in range(100_000):
        y = y.sin()
    graph = Graph(y)
    assert graph.names[graph.nodes[-1]] == "v100001"


def test_the_products_of_an_opened_dot_are_products():
    products = Graph(neuron()).nodes[5:7]
    assert [product.data for product in products] == [0.15 * 0.12, 0.2 * 0.3]
    assert [product.slopes for product in products] == [(0.12, 0.15), (0.3, 0.2)]


def test_a_graph_of_the_recorded_numbers_has_no_twins():
    assert Graph(Value(2) * 3).twins == {}
