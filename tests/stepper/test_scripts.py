"""The page computes what the engine computes, and writes it as the steps are written."""

import math
import random
import re
import shutil
from functools import partial

import pytest
from browsers import BROWSERS, start
from scripts import close, in_browser, in_node, number_of
from table import ROWS, apply, arity, points, title

from micrograd_lab import Graph, Value, backward_steps, dot, forward_steps, ieee, total
from micrograd_lab.formulas import evaluate
from micrograd_lab.stepper.page import walk
from micrograd_lab.tell.notation import as_given, number


@pytest.fixture(
    scope="module",
    params=["node", *(pytest.param(name, marks=pytest.mark.slow) for name in BROWSERS)],
)
def javascript(request):
    """A function that evaluates an expression among the page's scripts."""
    if request.param == "node":
        if not shutil.which("node"):
            pytest.skip("needs the program node")
        yield in_node
    else:
        with start(request.param) as browser:
            browser.open("about:blank")
            yield partial(in_browser, browser)


EXTREME = (0.0, -0.0, 1e-300, -1e-20, 20.0, -40.0, 709.0, 1e3, -1e3, 1e200, math.inf, -math.inf)


def told(result):
    """What the page carries of a result."""
    graph = Graph.at_present(result, gradients=False, products=False)
    return graph, walk(graph)[1]


def ask(javascript, record, expression):
    """What an expression in `walk`, the walk of a record, gives."""
    return javascript(
        f"(() => {{ const walk = new Walk(ROWS, GIVEN); return {expression} }})()", record
    )


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_every_row_gives_the_numbers_of_the_engine(javascript, op):
    count = arity(op)
    draw = random.Random(title(op))
    some = [
        *points(op),
        *([draw.choice((*EXTREME, math.nan, 0.7)) for _ in range(count)] for _ in range(60)),
    ]
    if op.name == "take":
        some = points(op)
    expected, ats = [], []
    for at in some:
        with ieee():
            f = apply(op, [Value(float(x)) for x in at])
        ats.append([str(float(x)).replace("inf", "Infinity").replace("nan", "NaN") for x in at])
        expected.append([f.data, *f.slopes])
    n = "undefined" if op.n is None else repr(op.n)
    got = javascript(
        f"GIVEN.map((at) => apply(ROWS[{op.name!r}], at.map(Number), {n}, ieee))"
        ".map(({ f, slopes }) => [f, ...slopes])",
        ats,
    )
    for at, ours, theirs in zip(ats, expected, got, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert close(a, number_of(b)), (at, ours, theirs)


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_every_row_refuses_what_the_engine_refuses_in_its_words(javascript, op):
    draw = random.Random(title(op))
    ats = [[draw.choice(EXTREME[:10]) for _ in range(arity(op))] for _ in range(40)]
    if op.name == "take":
        ats = [[k, 1.0, 2.0] for k in (0, 1, 2, -1, 0.5)]
    leaves = [Value(1.0, f"p_{k}") for k in range(len(ats[0]))]
    if op.name == "take":
        leaves[0].data = 0
    graph, record = told(apply(op, leaves))
    order = [graph.names[node] for node in graph.nodes]
    moved = [[[order.index(f"p_{k}"), x] for k, x in enumerate(at)] for at in ats]
    failures = javascript(
        """GIVEN[1].map((moved) => {
          const walk = new Walk(ROWS, structuredClone(GIVEN[0]));
          for (const [i, x] of moved) walk.leaves.set(i, x);
          walk.compute();
          return plain_text(walk.now.failed?.why ?? "");
        })""",
        [record, moved],
    )
    for at, failed in zip(ats, failures, strict=True):
        try:
            apply(op, [Value(float(x), f"p_{k}") for k, x in enumerate(at)])
            expected = ["", ""]
        except ValueError as error:
            told_by = str(error).replace("p_", "p").replace("is -", "is −")
            expected = re.match(r"(.*?)(?: at .*)?; (.*)", told_by).groups()
        said = re.match(r"(.*?)(?: at .*)?; (.*)", failed)
        assert (list(said.groups()) if said else ["", failed]) == list(expected), at


SHAPES = [
    lambda x, y, z: x * y,
    lambda x, y, z: x - y * z,
    lambda x, y, z: (x / 3).exp() / (y * y + 1),
    lambda x, y, z: (x * x + 1) ** 1.5 / (z * z + 2),
    lambda x, y, z: (x * x + 1).log() - y.sigmoid(),
    lambda x, y, z: x.relu() + y.tanh() * z.gelu(),
    lambda x, y, z: dot([x, y], [z, x], y),
    lambda x, y, z: total([x, -y, z, x]) / 4,
    lambda x, y, z: (x * x + 0.5) ** (y.tanh()),
]


def random_graph(seed):
    draw = random.Random(seed)
    values = [Value(draw.uniform(-2, 2), label) for label in ("a", "b", "w_1", "-")]
    for _ in range(25):
        x, y, z = draw.choices(values[-7:], k=3)
        made = draw.choice(SHAPES)(x, y, z)
        values.append(made if abs(made.data) < 50 else made.tanh())
    return values[-1] + values[0] + values[2]


def by_hand(edge):
    """The local derivative as a reader would compute it from the displayed numbers."""
    shown = [float(f"{x:.3g}") for x in edge.numbers]
    letters = edge.op.partial(edge.index, shown[:-1])[1] | {"f": shown[-1], "n": edge.op.n}
    try:
        return float(evaluate(edge.partial, letters))
    except (ArithmeticError, ValueError):
        return edge.local


@pytest.mark.parametrize("seed", range(12))
def test_a_page_computes_and_writes_every_step_as_the_engine_does(javascript, seed):
    result = random_graph(seed)
    graph, record = told(result)
    page = ask(
        javascript,
        record,
        """{
          data: walk.now.data, grads: walk.grads,
          forward: walk.nodes.map((x, i) => x.inputs && walk.formula(i)),
          backward: walk.nodes.map((x, i) => x.inputs && x.inputs.map((_, k) => ({
            ...walk.derivative(i, k), byHand: walk.byHand(i, k),
            edge: walk.back.get(i).edges[k],
          }))),
        }""",
    )
    position = {node: i for i, node in enumerate(graph.nodes)}
    for node, x in zip(graph.nodes, page["data"], strict=True):
        assert close(node.data, number_of(x))
    for event in forward_steps(graph):
        line = page["forward"][position[event.node]]
        assert (line["symbols"], line["numbers"], line["data"]) == event.html[1:]
    for event in backward_steps(graph):
        for k, edge in enumerate(event.edges):
            line = page["backward"][position[event.node]][k]
            html = edge.html
            assert (line["symbols"], line["numbers"], line["local"]) == (
                html.symbols,
                html.numbers,
                html.local,
            )
            for name in ("local", "contribution", "before", "after"):
                assert close(getattr(edge, name), number_of(line["edge"][name]), 1e-11)
            assert close(by_hand(edge), number_of(line["byHand"]), 1e-9)
    result.backward()
    for node, grad in zip(Graph(result, products=False).nodes, page["grads"], strict=True):
        assert close(node.grad, number_of(grad), 1e-11)


def test_the_page_writes_numbers_as_the_steps_do(javascript):
    draw = random.Random(1)
    some = [
        draw.choice((1, 8, 0.125, 1e-5, 1e4))
        * draw.randint(-9999, 9999)
        / draw.choice((8, 1000, 4, 3))
        for _ in range(4000)
    ]
    some += [draw.uniform(-1, 1) * 10 ** draw.randint(-12, 12) for _ in range(4000)]
    some += [
        0.0,
        -0.0,
        1e6,
        999999.5,
        1e300,
        5e-324,
        9.996,
        99.96,
        0.0009996,
        12345.5,
        12346.5,
        1.125,
        10.25,
    ]
    texts = javascript("GIVEN.map((x) => [number(x), asGiven(x)])", some)
    for x, pair in zip(some, texts, strict=True):
        assert [number(x), as_given(x)] == pair, x
    assert javascript("[NaN, 1 / 0, -1 / 0].map((x) => number(x))") == [
        number(x) for x in (math.nan, math.inf, -math.inf)
    ]
