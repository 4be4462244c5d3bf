import json
import re
from pathlib import Path

import pytest

from micrograd_lab import Graph, Value, lecture
from micrograd_lab.lecture import ACTIVATIONS, ERRATA, PRINTED, RATE, WEIGHTS, network, toy, trained
from micrograd_lab.stepper.page import walk

NUMBERS = json.loads(Path(__file__).with_name("data").joinpath("numbers.json").read_text("utf-8"))
NETWORKS = NUMBERS["networks"]
WIRINGS = ("corrected", "printed")
SIGNS = {"minus": -RATE, "plus": RATE}
CORNERS = NUMBERS["gates"]["row_order"]


def full(expected):
    """Equal to all digits but the last, which depends on the order of a sum."""
    return pytest.approx(expected, rel=1e-15, abs=0)


def backward(example):
    example.result.backward()
    return example


def node(example, wiring, name):
    """The node that numbers.json calls `name`."""
    kind, _, which = name.partition("_")
    if kind in ("w1", "w2", "b1", "b2"):
        from_to = f"0,{which}" if kind[0] == "b" else ",".join(which)
        return example[f"w_{{{from_to}}}^{{({kind[1]})}}"]
    if kind == "h":  # the sigmoid of a_1 or a_2, whatever layer 2 calls it
        (reader,) = (v for v in example.nodes.values() if v.inputs == (example[f"a_{which}"],))
        return reader
    if kind in ("a1", "a2"):
        return example[f"{'as'[kind == 'a2']}_{which}"]
    return example[f"{name[0]}_{name[1]}" if not which and len(name) == 2 else name]


def parameters(numbers):
    """numbers.json's parameters under the lecture's names."""
    example = network()
    return {node(example, "corrected", name).label: number for name, number in numbers.items()}


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("name", NETWORKS["printed_wiring"]["data"])
def test_every_node_has_the_recomputed_value_and_gradient(wiring, name):
    expected = NETWORKS[f"{wiring}_wiring"]
    value = node(backward(network(wiring)), wiring, name)
    assert value.data == full(expected["data"][name])
    assert value.data == full(float(expected["data_20digits"][name]))
    assert value.grad == full(expected["grad"][name])
    assert value.grad == full(float(expected["grad_20digits"][name]))


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("j", [1, 2])
@pytest.mark.parametrize("k", [1, 2])
def test_the_gradient_of_a_hidden_unit_is_the_sum_over_the_outputs(wiring, j, k):
    example = backward(network(wiring))
    reader = example[f"s_{k}"]
    at = reader.inputs.index(example[f"z_{j}"])
    expected = NETWORKS[f"{wiring}_wiring"]["grad"][f"z_{j}_via_y{k}"]
    assert reader.slopes[at] * reader.grad == full(expected)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize(
    ("rate", "key"),
    [(-RATE, "one_step_eta_0.5_descent_minus"), (RATE, "one_step_eta_0.5_as_printed_plus")],
)
def test_one_step_moves_every_parameter(wiring, rate, key):
    expected = NETWORKS[f"{wiring}_wiring"][key]
    after = trained(1, rate, wiring)
    assert {w.label: w.data for w in after.parameters} == full(parameters(expected["params"]))
    assert network(wiring).result.data == full(expected["E_before"])
    assert after.result.data == full(expected["E_after"])
    assert [after["y_1"].data, after["y_2"].data] == full([expected["y_1"], expected["y_2"]])


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("sign", SIGNS)
def test_the_error_after_many_steps(wiring, sign):
    expected = NETWORKS[f"{wiring}_wiring"]["training_E_after_n_steps_eta_0.5"][sign]
    errors = {steps: trained(int(steps), SIGNS[sign], wiring).result.data for steps in expected}
    assert errors == pytest.approx(expected, rel=1e-9, abs=1e-28)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_error_after_moving_the_two_weights_that_the_slides_move(wiring):
    expected = NETWORKS[f"{wiring}_wiring"]["two_weight_update"]
    two = ("w_{1,1}^{(2)}", "w_{1,1}^{(1)}")

    def error(second, first):
        return network(wiring, dict(zip(two, (second, first)))).result.data

    assert [
        network(wiring).result.data,
        error(0.436, 0.1504),
        error(0.4 - 0.5 * 0.0727, 0.15 - 0.5 * 0.00075),
        trained(1, RATE, wiring, two).result.data,
        trained(1, -RATE, wiring, two).result.data,
    ] == pytest.approx(list(expected.values()), rel=1e-12)


def test_only_one_of_16_wirings_gives_the_four_printed_outputs():
    expected = {tuple(int(h[1]) for h in row[:4]): row[6] for row in NUMBERS["wiring_search"]}
    assert lecture.wirings() == expected
    assert [reads for reads, hits in expected.items() if hits == 4] == [(2, 1, 2, 1)]


def test_the_printed_wiring_swaps_the_hidden_units_and_nothing_else():
    right, slides = network("corrected"), network("printed")
    assert [slides["z_1"].data, slides["z_2"].data] == [right["z_2"].data, right["z_1"].data]
    assert list(slides.nodes) != [] == [name for name in right.nodes if name not in slides.nodes]


@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_node_has_one_name_and_the_graph_calls_it_that(wiring):
    example = network(wiring)
    graph = Graph(example.result, products=False)
    assert list(graph.names.values()) == list(example.nodes)
    assert len(example.nodes) == 12 + 2 + 2 + 2 * 2 + 2 * 2 + 2 + 2 + 1


def test_the_parameters_are_the_twelve_weights_in_the_lectures_order():
    assert [w.label for w in network().parameters] == list(WEIGHTS)
    assert [w.label for w in toy().parameters] == ["w", "b"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: network("right"), "there is no 'right' wiring; there are \"corrected\""),
        (lambda: network(weights={"w": 1}), "the network has no w; it has w_{1,1}"),
        (lambda: network()["h_1"], "the lecture has no 'h_1' here; it has x_1, x_2, w_{1,1}"),
        (lambda: lecture.gate("XOR", Value(1), Value(1)), "there is no gate XOR; there are OR"),
        (lambda: lecture.chain("add"), "add is not an operation of one input"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(call, says):
    with pytest.raises((ValueError, KeyError)) as raised:
        call()
    assert says in raised.value.args[0]


def test_the_toy_example():
    expected = NUMBERS["toy"]
    example = backward(toy())
    assert example["g"].data == expected["g=wx"]
    assert example["f"].data == expected["f=g+b"]
    for name in "wbxg":
        assert example[name].grad == expected[f"df/d{name}"]
    update = expected["printed update ('+', ascent on f)"]
    assert example.moved(expected["eta"]) == {"w": update["w"], "b": update["b"]}
    assert toy(**example.moved(0.1)).result.data == full(update["f_after"])
    assert lecture.toy_steps(5) == pytest.approx(update["f_by_step"], rel=1e-14)


def test_the_toy_example_with_an_error():
    expected = NUMBERS["toy"]["if E=1/2(f-3)^2 were descended instead"]
    example = backward(toy(target=3))
    assert example.result.data == expected["E"]
    for name in "fwbx":
        assert example[name].grad == expected[f"dE/d{name}"]
    assert example.moved(-0.1) == {"w": expected["w_new(eta=.1)"], "b": expected["b_new(eta=.1)"]}
    fast, slow = (lecture.toy_steps(4, rate, target=3) for rate in (0.1, 0.01))
    assert fast == pytest.approx(expected["f_by_step_eta_.1"], rel=1e-14)
    assert slow == pytest.approx(expected["f_by_step_eta_.01"], rel=1e-12)
    one_step = expected["one-step solution eta"]
    assert lecture.toy_steps(1, one_step, target=3)[1] == pytest.approx(3, abs=1e-14)
    limit = expected["diverges for eta >"]
    just_above = lecture.toy_steps(50, limit * 1.01, target=3)
    just_below = lecture.toy_steps(50, limit * 0.99, target=3)
    assert abs(just_above[-1] - 3) > 10 > abs(just_below[-1] - 3)


def test_the_table_of_outputs():
    expected = NUMBERS["softmax_table"]
    table = lecture.outputs()
    table.cross_entropy.backward()

    def data(values):
        return [value.data for value in values]

    assert data(table.scores) == expected["logits"]
    assert list(table.label) == expected["target_one_hot"]
    assert data(table.sigmoid) == full(expected["sigmoid"])
    assert data(table.normalization) == full(expected["normalization (sigmoid/sum)"])
    twenty_digits = list(map(float, expected["softmax_20digits"]))
    assert data(table.softmax) == pytest.approx(twenty_digits, rel=1e-14)
    assert table.cross_entropy.data == full(float(expected["cross_entropy_20digits"]))
    slopes = expected["dH/dlogits (softmax - target)"]
    assert [score.grad for score in table.scores] == pytest.approx(slopes, rel=1e-14)


@pytest.mark.parametrize("name", lecture.GATES)
def test_a_gate_has_its_truth_table_and_weights(name):
    gates = NUMBERS["gates"]
    table = [lecture.gate(name, Value(x), Value(y)).data for x, y in CORNERS]
    assert table == gates["tables"][name]
    (weights,) = (
        v
        for k, v in gates["weights (w1,w2,w0), step activation"].items()
        if name in re.split(r"\W", k)
    )
    assert list(lecture.GATES[name].values()) == weights


def test_xor_is_and_of_or_and_nand():
    gates = NUMBERS["gates"]
    assert [lecture.xor(x, y).result.data for x, y in CORNERS] == gates["tables"]["XOR"]
    steep = [lecture.xor(x, y, steepness=20).result.data for x, y in CORNERS]
    assert steep == pytest.approx(gates["sigmoid_version_all_scaled_by_20"], rel=1e-13)


@pytest.mark.parametrize(
    ("activation", "key"),
    [("sigmoid", "d sigma^n(x)/dx at x=0.5"), ("tanh", "same for tanh"), ("relu", "same for relu")],
)
def test_the_gradient_through_a_chain_of_activations(activation, key):
    expected = NUMBERS["vanishing"][key]
    slopes = {n: backward(lecture.chain(activation, int(n)))["x"].grad for n in expected}
    assert slopes == pytest.approx(expected, rel=1e-14)


def test_the_slope_of_a_sigmoid_is_at_most_a_quarter_and_never_lost():
    expected = NUMBERS["activations"]
    assert Value(0).sigmoid().slopes[0] == expected["sigma_max_slope"]
    assert Value(40).sigmoid().slopes[0] == full(expected["sigma'(40) true"])


def test_the_slopes_at_0_are_those_of_torch_where_the_slides_have_a_convention():
    activations = NUMBERS["activations"]
    on_slide = {row.op.name: row.slope_on_slide for row in ACTIVATIONS}
    here = {row.op.name: row.slope_at_0 for row in ACTIVATIONS}
    assert [on_slide["step"], on_slide["relu"], on_slide["leaky_relu"]] == [None, 1, 1]
    measured = activations["torch 2.13.0 f'(0) (measured)"]
    assert [here["relu"], here["leaky_relu"]] == list(measured.values())
    others = [name for name in here if name not in ("step", "relu", "leaky_relu")]
    assert [here[name] for name in others] == [on_slide[name] for name in others]


OUR_NAMES = {
    "a_1 (layer 1)": "a_1",
    "a_2 (layer 1)": "a_2",
    "sigma(a_1) layer 1": "σ(a_1)",
    "sigma(a_2) layer 1": "σ(a_2)",
    "a_1 (layer 2)": "s_1 (slide: a_1)",
    "a_2 (layer 2)": "s_2 (slide: a_2)",
    "sigma(a_1) = y_1": "y_1 (slide: σ(a_1))",
    "sigma(a_2) = y_2": "y_2 (slide: σ(a_2))",
    "E": "E",
    "dE/dy1(out)": "∂E/∂y_1",
    "dE/dy2(out)": "∂E/∂y_2",
    "dy1(out)/dy1(in)": "∂y_1/∂s_1",
    "dy2(out)/dy2(in)": "∂y_2/∂s_2",
    "dy1(in)/dw11(2) = z_1": "∂s_1/∂w_{1,1}^{(2)}",
    "dE/dw11(2)": "∂E/∂w_{1,1}^{(2)}",
    "w11(2)* (printed '+')": "new w_{1,1}^{(2)}",
    "dE_y1/dz1": "∂E_1/∂z_1",
    "dE_y2/dz1": "∂E_2/∂z_1",
    "dE/dz1": "∂E/∂z_1",
    "dz1(out)/dz1(in)": "∂z_1/∂a_1",
    "dz1(in)/dw11(1) = x_1": "∂a_1/∂w_{1,1}^{(1)}",
    "dE/dw11(1)": "∂E/∂w_{1,1}^{(1)}",
    "w11(1)* (printed '+', from 0.15)": "new w_{1,1}^{(1)}",
}


@pytest.mark.parametrize("fact", NUMBERS["printed_facts"], ids=lambda fact: fact["quantity"])
def test_a_printed_number_stands_beside_its_recomputed_ones(fact):
    (p,) = (p for p in PRINTED if p.quantity == OUR_NAMES[fact["quantity"]])
    assert p.printed == fact["printed"]
    assert p.computed == full(float(fact["printed_wiring_full"]))
    assert p.corrected == full(float(fact["corrected_wiring_full"]))
    assert (p.kind == "exact") == (fact["printed_wiring"] == "exact")


@pytest.mark.parametrize("done", NUMBERS["slide_arithmetic"], ids=lambda done: done["expression"])
def test_the_slides_arithmetic_is_done_with_the_numbers_they_printed(done):
    (first, *_) = (
        p
        for p in PRINTED
        if p.printed == done["printed"]
        and p.by_hand == pytest.approx(float(done["value"]), abs=1e-12)
    )
    assert (first.kind == "truncated") == (done["status"] == "truncates to it")


def test_the_kinds_of_the_numbers_that_are_not_exact():
    kinds = {p.quantity: p.kind for p in PRINTED if p.kind != "exact"}
    assert kinds == {
        "f′(0) of ReLU": "erratum",
        "f′(0) of LReLU": "erratum",
        "normalization of s_1": "rounded factors",
        "normalization of s_4": "rounded factors",
        "H": "rounded factors",
        "∂E/∂w_{1,1}^{(2)}": "rounded factors",
        "∂E_1/∂z_1": "rounded factors",
        "∂E/∂z_1": "rounded factors",
        "∂E/∂w_{1,1}^{(1)}": "truncated",
        "new w_{1,1}^{(1)}": "erratum",
    }


def test_a_number_that_differs_has_a_reason_or_an_erratum():
    for p in PRINTED:
        assert p.kind == "exact" or p.reason or p.errata
    assert {number for p in PRINTED for number in p.errata} <= {erratum.id for erratum in ERRATA}


def test_the_softmax_slide_is_printed_in_full():
    table = NUMBERS["softmax_table"]
    for column in ("sigmoid", "normalization", "softmax"):
        printed = [float(p.printed) for p in PRINTED if p.quantity.startswith(f"{column} of")]
        assert printed == table[f"{column}_printed"]
    (entropy,) = (p for p in PRINTED if p.quantity == "H")
    assert float(entropy.printed) == table["cross_entropy_printed"]
    assert entropy.by_hand == pytest.approx(table["cross_entropy_from_rounded_0.97959"], rel=1e-14)


@pytest.mark.parametrize("expected", NUMBERS["errata"], ids=lambda erratum: erratum["id"])
def test_an_erratum_has_every_recomputed_number(expected):
    (erratum,) = (erratum for erratum in ERRATA if erratum.id == expected["id"])
    said = f"{erratum.where} {erratum.printed} {erratum.right}".replace("−", "-")
    for number in re.findall(r"-?\d+\.\d+", f"{expected['printed']} {expected['right']}"):
        assert number in said


def test_the_errata_page_is_what_the_lecture_module_writes():
    page = Path(__file__).parents[2] / "docs" / "errata.md"
    assert page.read_text("utf-8") == lecture.errata_page()


def test_the_report_has_every_printed_number_beside_the_computed_one():
    lines = lecture.report().splitlines()
    for p in PRINTED:
        start = f"  {p.quantity:20}{p.printed:>11}  {p.computed:.8g}"
        assert any(line.startswith(start) for line in lines)
    assert max(map(len, lines)) <= 130


@pytest.mark.parametrize("wiring", ["corrected", "printed"])
def test_the_chapters_of_the_network_follow_each_other_as_the_slides_do(wiring):
    example = network(wiring)
    _, told = walk(Graph.at_present(example.result, gradients=False), chapters=example.chapters)
    forward = [c["node"] for c in told["chapters"] if c["pass"] == "forward" and "node" in c]
    assert forward == sorted(forward)
    hidden = sorted(told["names"].index(f"<i>z</i><sub>{k}</sub>") for k in (1, 2))
    assert [told["chapters"][k]["node"] for k in (1, 5)] == hidden
    assert "0.4 + 0.5 × 0.0727 = 0.436" in told["chapters"][6]["note"]


def test_a_note_of_a_chapter_names_only_errata_that_there_are():
    known = {erratum.id for erratum in ERRATA}
    for example in (toy(), network()):
        for *_, note in example.chapters.values():
            assert {*re.findall(r"E\d+", note or "")} <= known
