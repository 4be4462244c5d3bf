import json
import math
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import ROWS, apply, arity

from micrograd_lab import Graph, Value, dot, draw, explain, maximum, operation, replay, step, total
from micrograd_lab.ops import OPS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "graph.json"


def again(result, path, **options):
    graph = Graph(result, **options)
    graph.save(path)
    return Graph.load(path)


def told(graph):
    numbers = [(x.data, x.grad, x.slopes, x.op and (x.op.name, x.op.n)) for x in graph.nodes]
    return repr(([*graph.names.values()], numbers, [graph.kind(node) for node in graph.nodes]))


def small():
    w, x = Value(-2, "w"), Value(5, "x")
    f = dot([w, x], [x, 1.5], 3).tanh() ** 2 + w * x
    f.backward()
    return f


@given(st.lists(st.tuples(st.sampled_from([*ROWS]), st.integers(0), st.integers(0)), max_size=12))
def test_a_random_graph_is_the_same_after_a_file(tmp_path_factory, steps):
    values = [Value(0.7, "w"), Value(0.3, "x"), Value(0.5)]
    for op, *places in steps:
        inputs = [values[places[i % 2] % len(values)] for i in range(arity(op))]
        try:
            values.append(apply(op, inputs))
        except ValueError:  # outside a domain
            continue
    result = total(values)
    result.backward()
    loaded = again(result, tmp_path_factory.mktemp("graph") / "graph.json")
    assert told(loaded) == told(Graph(result, products=False))
    before = repr(loaded.nodes)
    for node in loaded.nodes:
        node.grad = 0.0
    loaded.result.backward()
    assert repr(loaded.nodes) == before


@pytest.mark.parametrize(
    "picture", [lambda f: draw(f).source, lambda f: step(f).html], ids=["draw", "step"]
)
def test_a_loaded_graph_looks_as_before(path, picture):
    assert picture(again(small(), path).result) == picture(small())


def test_a_loaded_graph_is_explained_as_before(path):
    graph = again(small(), path)
    (w,) = graph.parameters
    f = small()
    assert str(explain(graph.result, w)) == str(explain(f, Graph(f).nodes[0]))


def test_a_loaded_graph_replays_as_before(path):
    f = small()
    graph = again(f, path)
    x = next(node for node in graph.nodes if node.label == "x")
    mine = next(node for node in Graph(f, products=False).nodes if node.label == "x")
    assert replay(graph.result, [x])([[1.0], [2.0]]) == replay(f, [mine])([[1.0], [2.0]])


def test_a_comparison_is_kept(path):
    w, x, zero = Value(2, "w"), Value(3, "x"), Value(0, "zero")
    y = w * x
    assert y > zero
    graph = again(y, path)
    x = next(node for node in graph.nodes if node.label == "x")
    with pytest.raises(ValueError, match="v3 > zero held when"):
        replay(graph.result, [x])([[-1.0]])


def test_what_has_moved_is_still_told(path):
    w, x = Value(2, "w"), Value(3, "x")
    w.data = 4
    y = w * x
    x.data = 5
    notes = Graph.at_present(again(y, path).result).notes
    assert notes == Graph.at_present(y).notes
    assert notes == ["x has moved since this was recorded; shown at its present number"]


def test_parameters_are_kept(path):
    f = small()
    (x,) = (node for node in Graph(f, products=False).nodes if node.label == "x")
    loaded = again(f, path, parameters=[x])
    assert told(loaded) == told(Graph(f, parameters=[x], products=False))


def test_a_node_of_a_programs_own_keeps_its_slopes(path):
    loaded = again(Value(6, (Value(2, "a"), Value(3, "b")), (3, 2)), path).result
    loaded.backward()
    assert [x.grad for x in loaded.inputs] == [3, 2]


def test_an_operation_of_ones_own_is_asked_for(path):
    softsign = operation("softsign", "x / (1 + abs(x))", ["1 / (1 + abs(x)) ** 2"])
    try:
        assert again(softsign(3), path).result.op is OPS["softsign"]
    finally:
        del OPS["softsign"], Value.softsign
    with pytest.raises(ValueError, match=r"node 1 has the operation 'softsign'; first make it: op"):
        Graph.load(path)


def test_numbers_that_are_not_finite_are_kept_in_standard_json(path):
    loaded = again(total([Value(math.nan), Value(math.inf), Value(-math.inf), Value(-0.0)]), path)
    assert repr([x.data for x in loaded.nodes]) == "[nan, inf, -inf, -0.0, nan]"
    json.loads(path.read_text(), parse_constant=pytest.fail)


def test_a_number_of_an_operation_may_be_0(path):
    assert again(Value(2, "x") ** 0, path).result.op.n == 0


def test_a_deep_graph_needs_no_recursion(path):
    f = Value(1, "x")
    for _ in range(3 * sys.getrecursionlimit()):
        f = f + 1
    assert again(f, path).result.data == f.data


def changed(row, **change):
    def change_it(told):
        told["nodes"][row] |= change

    return change_it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(2, op="mull"), "node 2 has the operation 'mull', which is not in the table"),
        (changed(2, op=7), "node 2 has 7 for its op"),
        (changed(2, op="exp"), "node 2 has 2 inputs, which exp does not take"),
        (changed(2, n=2), "node 2 has a number n for mul"),
        (changed(2, inputs=[0, 2]), "node 2 names node 2, but can name only the 2 from 0 on"),
        (changed(0, inputs=[2], slopes=[1]), "node 0 names node 2, but can name only the 0 from 0"),
        (changed(2, inputs=[0, True]), "node 2 names node True"),
        (changed(2, inputs="ab"), "node 2 has 'ab' for its inputs"),
        (changed(2, slopes=[1]), "node 2 has 2 inputs but 1 slopes"),
        (changed(0, data="two"), "node 0 has 'two' for a number; a finite one, \"nan\""),
        (changed(0, data=None), "node 0 has None for a number"),
        (changed(0, data=10**400), "node 0 has 1000"),
        (changed(0, label=3), "node 0 has 3 for its label"),
        (changed(2, call=[]), r"node 2 has \[\] for its call"),
        (changed(2, guards=[[0, "=", True, True]]), "node 2 has .* for a comparison"),
        (changed(2, moved=9), "node 2 names node 9"),
        (lambda told: told.update(result=3), "the file names node 3, but can name only the 3"),
        (lambda told: told.update(parameters=[-1]), "the file names node -1"),
        (lambda told: told.update(format=2), "its format is 2, not 'micrograd_lab graph 1'"),
        (lambda told: told.pop("nodes"), "this has no format, result, parameters and nodes"),
        (lambda told: told["nodes"].insert(0, 7), "node 0 has 7 for its label"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_damaged_file_is_refused_with_the_place(path, change, message):
    Graph(Value(2, "w") * Value(3, "x")).save(path)
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    with pytest.raises(ValueError, match=f"graph.json: {message}"):
        Graph.load(path)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused(path, part):
    Graph(small()).save(path)
    text = path.read_text()
    path.write_text(text[: int(part * len(text))])
    with pytest.raises(ValueError, match=r"graph.json: this is no complete JSON"):
        Graph.load(path)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"[1]", b"null"], ids=len)
def test_what_is_no_graph_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"graph.json: "):
        Graph.load(path)


def test_a_pickle_is_not_run(path):
    path.write_bytes(pickle.dumps(small()))
    with pytest.raises(ValueError, match=r"graph.json: "):
        Graph.load(path)


def test_a_file_has_a_known_ending(tmp_path):
    with pytest.raises(ValueError, match=r"'graph.pkl' has no known format; end it in .json"):
        Graph(maximum(0, Value(1))).save(tmp_path / "graph.pkl")
