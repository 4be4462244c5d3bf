"""Samples on a page: which rows it takes, and what it computes of them."""

import math
import shutil

import pytest
from scripts import close, in_node, number_of
from table import ROWS, apply, arity, points, title

from micrograd_lab import (
    MLP,
    Graph,
    Value,
    binary_cross_entropy,
    dot,
    gate,
    hinge,
    ieee,
    replay,
    squared_error,
    step,
)
from micrograd_lab.stepper.page import walk

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="needs the program node")
XOR = [[*x, t] for x, t in zip(*gate("xor"), strict=True)]


def network(loss=squared_error, sizes=(3, 1), targets=(0, 1)):
    """The loss of a small network, its inputs and target, and rows for them."""
    x, t = [Value(1, "x_1"), Value(0, "x_2")], Value(targets[1], "t")
    model = MLP(2, [*sizes], activation="tanh", seed=1)
    result = loss(model(x), t)
    result.label = "E"
    return result, [*x, t], [[a, b, targets[c]] for a, b, c in XOR]


def ask(result, inputs, rows, expression, given=None):
    """What an expression in `walk`, the walk of a page with samples, gives."""
    graph = Graph.at_present(result, gradients=False)
    _, record = walk(graph, samples=(inputs, rows))
    start = "const [record, more] = GIVEN; const walk = new Walk(ROWS, record);"
    return in_node(f"(() => {{ {start} return {expression} }})()", [record, given])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[0, 0, 0], [0, 1]], "2 rows of 2 and 3 numbers; give one row per sample, 3 numbers in"),
        ([[0, 0]], "1 rows of 2 numbers; give one row per sample, 3 numbers in each"),
        ([], "0 rows; give at least 1"),
        ([[0, 0, 1], [0, math.nan, 1]], r"row 1 has nan for Value\(x_2: 0, .*leave it out"),
        ([[0, math.inf, 1]], "row 0 has inf for"),
        (None, "3 inputs without data; give a row of 3 numbers per sample"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_their_numbers(rows, says):
    result, inputs, _ = network()
    with pytest.raises(ValueError, match=says):
        step(result, inputs=inputs, data=rows)


@pytest.mark.parametrize("rows", [[["a", 0, 1]], [[0, None, 1]], [0, 1, 1], 7])
def test_rows_that_are_no_numbers_are_refused(rows):
    result, inputs, _ = network()
    with pytest.raises(
        TypeError, match=r"give one row of numbers per sample|give a list, an array"
    ):
        step(result, inputs=inputs, data=rows)


def test_inputs_that_a_row_cannot_set_are_refused():
    result, (x, y, t), rows = network()
    a = result.inputs[0]
    for inputs, says in [
        ([x, y, a], r"Value\(e: .*\) is computed; a sample sets leaves"),
        ([x, y, Value(1, "u")], r"Value\(u: 1, .*\) is not a node of the graph of E"),
        ([x, x, t], r"Value\(x_1: 1, .*\) is named twice among the inputs"),
        ([], "data without inputs; name the leaves of a row"),
    ]:
        with pytest.raises(ValueError, match=says):
            step(result, inputs=inputs, data=rows)
    with pytest.raises(TypeError, match=r"name a Value of this graph, not str 'x_1'"):
        step(result, inputs=["x_1", y, t], data=rows)


def test_rows_may_be_an_array_a_frame_or_a_tensor():
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    result, inputs, rows = network()
    expected = step(result, inputs=inputs, data=rows).html
    array = numpy.array(rows)
    for data in (array, array.astype("float32"), pandas.DataFrame(rows, columns=list("abc"))):
        assert step(result, inputs=inputs, data=data).html == expected


def test_the_inputs_of_a_loss_made_by_hand_can_be_set():
    w, x, t = Value(2, "w"), Value(3, "x"), Value(1, "t")
    html = step((w * x - t) ** 2, inputs=[x, t], data=[[1, 1], [2, 5]]).html
    assert '"rows":[[1.0,1.0],[2.0,5.0]]' in html


def test_one_input_may_stand_alone():
    x = Value(3, "x")
    assert '"rows":[[1.0],[2.0]]' in step(Value(2, "w") * x, inputs=x, data=[[1], [2]]).html


def test_a_chapter_that_is_in_no_pass_is_refused():
    f = Value(2, "w") * Value(3, "x")
    for at, said in (("forwards", "'forwards'"), (f, r"Value\(6, grad=0\)")):
        with pytest.raises(ValueError, match=f"chapter 'a' is in {said}; it can be in forward, ba"):
            step(f, chapters={"a": at})


def test_the_rate_is_shown_with_its_sign_and_is_not_0():
    f = Value(2, "w") * Value(3, "x")
    assert '"eta":0.1,"sign":1' in step(f, rate=-0.1).html
    with pytest.raises(ValueError, match=r"the rate is 0; give η, such as 0\.5, or −η for a plus"):
        step(f, rate=0)


@needs_node
@pytest.mark.parametrize("op", ROWS, ids=title)
def test_a_column_has_the_numbers_of_the_engine(op):
    ats = points(op)
    leaves = [Value(float(x), f"p_{k}") for k, x in enumerate(ats[0])]
    columns = [[float(x) for x in at] for at in ats]
    with ieee():
        expected = [apply(op, [Value(x) for x in at]).data for at in columns]
    got = ask(
        apply(op, leaves),
        leaves[: arity(op)],
        columns,
        """[...spread(columns(walk, samplesGiven(walk.samples))[walk.result],
                       record.samples.rows.length)]""",
    )
    for ours, theirs in zip(expected, got, strict=True):
        assert close(ours, number_of(theirs))


@needs_node
@pytest.mark.parametrize(
    ("loss", "targets"),
    [(squared_error, (0, 1)), (binary_cross_entropy, (0, 1)), (hinge, (-1, 1))],
)
def test_the_losses_and_gradients_of_the_samples_are_those_of_a_replay(loss, targets):
    result, inputs, rows = network(loss, targets=targets)
    graph = Graph(result, products=False)
    parameters = [x for x in graph.nodes if graph.kind(x) == "parameter"]
    program = replay(result, inputs=inputs, parameters=parameters, backend="python")
    mean = program(rows)
    page_loss, grads = ask(
        result,
        inputs,
        rows,
        """(walk.batch = true, walk.compute(),
            [walk.loss(), walk.parameters.map((i) => walk.mean[i])])""",
    )
    assert close(mean, page_loss)
    expected = sorted(x.grad for x in parameters)
    for ours, theirs in zip(expected, sorted(grads), strict=True):
        assert close(ours, theirs, 1e-11)


@needs_node
@pytest.mark.parametrize(
    ("loss", "targets", "boundary"),
    [(squared_error, (0, 1), 0.5), (binary_cross_entropy, (0, 1), 0), (hinge, (-1, 1), 0)],
)
def test_the_boundary_is_where_both_targets_fit_equally_well(loss, targets, boundary):
    x, t = Value(0.7, "x_1"), Value(targets[1], "t")
    y = Value(0, "x_2")
    outputs = [boundary - 0.2, boundary - 1e-6, boundary + 1e-6, boundary + 0.2]
    best = ask(
        loss(x + 0 * y, t),
        [x, y, t],
        [[output, 0, target] for output, target in zip(outputs, targets * 2)],
        """(() => {
          const given = samplesGiven(walk.samples);
          const losses = lossesOf(walk, given, walk.samples.inputs[2], more);
          return walk.samples.rows.map((_, k) => leader(losses, k).best);
        })()""",
        targets,
    )
    assert best == [0, 0, 1, 1]


@needs_node
def test_a_large_network_has_a_coarser_grid():
    sides = {}
    for sizes in ((4, 1), (12, 12, 1), (16, 16, 1)):
        result, inputs, rows = network(sizes=sizes)
        sides[sizes] = ask(result, inputs, rows, "gridOf(walk, 2)")
    assert sides[4, 1] == 40
    assert 40 > sides[12, 12, 1] > sides[16, 16, 1] >= 12


@needs_node
def test_a_sample_without_a_gradient_is_named_instead_of_left_out():
    w, x = Value(2, "w"), Value(3, "x")
    told = ask(
        (w * x).log(),
        [x],
        [[1.0], [-1.0]],
        "(walk.batch = true, walk.compute(), [plain_text(walk.unfit), walk.again()])",
    )
    assert told == ["sample 2: log is undefined at x = v3 = −2; it needs x > 0", False]


@needs_node
def test_a_page_begins_at_the_sample_that_was_recorded():
    result, inputs, rows = network()  # at (1, 0), target 1
    which = """(() => {
      const [x] = walk.samples.inputs;
      return [1, 9].map((x_1) => (walk.set(x, x_1), [walk.isSample(), walk.sample]));
    })()"""
    recorded = rows.index([1, 0, 1])
    assert ask(result, inputs, rows, which) == [[True, recorded], [False, recorded]]


@needs_node
@pytest.mark.parametrize(
    ("numbers", "ends"),
    [
        ([0, 1], [-0.3, 1.3]),
        ([-1, 1], [-1.5, 1.5]),
        ([3], [0, 6]),
        ([0], [-1, 1]),
        ([10, 250], [-50, 310]),
    ],
)
def test_the_axes_have_room_around_the_samples_and_short_numbers(numbers, ends):
    assert in_node("range(GIVEN)", numbers) == ends


@needs_node
def test_a_chapter_may_begin_at_a_sum_whose_products_are_drawn_and_has_a_note():
    result, _, _ = network()
    total = result.inputs[0].inputs[0]
    graph = Graph.at_present(result, gradients=False)
    assert len(graph) > len(Graph(result, products=False))
    chapters = {
        "outputs": ("forward", total),
        "back": ("backward", total, "a < b"),
        "all": "backward",
    }
    _, record = walk(graph, chapters=chapters)
    began = in_node(
        """(() => {
          const walk = new Walk(ROWS, GIVEN);
          return places(walk).map(({ at }) =>
            [walk.steps[at].pass, walk.steps[at].nodes.map((i) => plain_text(walk.names[i]))]);
        })()""",
        record,
    )
    assert began[0] == ["forward", ["(w1,1(2) × z1)"]]
    assert began[1] == ["backward", ["s1"]]
    assert began[2] == ["seed", []]
    assert record["chapters"][1]["note"] == "a &lt; b"


@needs_node
def test_a_comparison_of_a_sum_is_followed_whose_products_are_drawn():
    w, x, b = Value(2, "w"), Value(3, "x"), Value(1, "b")
    s = dot([w], [x], b)
    result = s * 2 if s > 0 else s * 3
    graph = Graph.at_present(result, gradients=False)
    left = "[5, -5].map((x) => (walk.set(walk.parameters[0], x), walk.left.length))"
    _, record = walk(graph)
    asked = f"(() => {{ const walk = new Walk(ROWS, GIVEN); return {left} }})()"
    assert sorted(in_node(asked, record)) == [0, 1]
