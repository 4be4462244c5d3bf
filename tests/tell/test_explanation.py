import re

import pytest

from micrograd_lab import Value, dot, explain, lecture, total
from micrograd_lab.engine import record, recorded
from micrograd_lab.ops import OPS
from micrograd_lab.tell.notation import as_given, number


def ladder(rungs):
    """One diamond on top of another: 2**rungs paths from the foot to the top."""
    x = foot = Value(0.3, "x")
    for _ in range(rungs):
        x = x.sin() + x.cos()
    return x, foot


def test_the_gradient_of_a_weight_is_derived_as_on_the_slides():
    example = lecture.network("printed")
    lines = str(explain(example.result, example["w_{1,1}^{(2)}"])).splitlines()
    assert lines[0] == "∂E/∂w_{1,1}^{(2)} = ∂s_1/∂w_{1,1}^{(2)} × ∂y_1/∂s_1 × ∂E/∂y_1"
    text = "\n".join(lines)
    assert "∂E_1/∂e_1 = e_1 = 0.569" in text
    assert "e_1 = y_1 − t_1 = 0.669 − 0.1 = 0.569" in text
    assert "∂y_1/∂s_1 = y_1 × (1 − y_1) = 0.669 × (1 − 0.669) = 0.221" in text
    assert "∂s_1/∂w_{1,1}^{(2)} = z_1 = 0.578" in text
    assert "    = 0.578 × 0.221 × 0.569 = 0.0728" in lines


def test_a_gradient_is_the_sum_over_the_branches_as_on_the_slides():
    example = lecture.network()
    lines = str(explain(example.result, example["w_{1,1}^{(1)}"])).splitlines()
    assert lines[0] == "∂E/∂w_{1,1}^{(1)} = ∂a_1/∂w_{1,1}^{(1)} × ∂z_1/∂a_1 × ∂E/∂z_1"
    at = lines.index("∂E/∂z_1 = ∂E_{y_1}/∂z_1 + ∂E_{y_2}/∂z_1")
    assert "    = 0.0504 − 0.0243 = 0.0262" in lines[at:]
    assert "    ∂E_{y_1}/∂z_1 = ∂s_1/∂z_1 × ∂y_1/∂s_1 × ∂E/∂y_1" in lines
    assert "        = 0.4 × 0.221 × 0.570 = 0.0504" in lines
    assert "        = 0.45 × 0.224 × (−0.240) = −0.0243" in lines
    assert "    = 0.12 × 0.248 × 0.0262 = 0.000779" in lines


@pytest.mark.parametrize(
    "printed",
    [p for p in lecture.PRINTED if "Backwarding" in p.slide and "new" not in p.quantity],
    ids=lambda p: p.quantity,
)
def test_every_number_of_the_backward_slides_appears(printed):
    example = lecture.network("printed")
    weights = example["w_{1,1}^{(2)}"], example["w_{1,2}^{(1)}"]  # in the wiring of the slides
    text = "\n".join(str(explain(example.result, weight)) for weight in weights)
    computed = {number(printed.computed), as_given(printed.computed)}
    assert computed & set(re.findall(r"−?[\d.]+", text))


@pytest.mark.parametrize("wiring", ["corrected", "printed"])
def test_the_last_line_is_a_check_that_agrees(wiring):
    example = lecture.network(wiring)
    for weight in example.parameters:
        *_, last = str(explain(example.result, weight)).splitlines()
        ours, measured = re.search(r"= (\S+) ≈ .* = (\S+), with h = 0.00001", last).groups()
        assert (len(ours), ours[:6]) == (len(measured), measured[:6])


def test_explaining_changes_no_gradient_and_needs_none():
    example = lecture.network()
    before = str(explain(example.result, example["w_{1,1}^{(1)}"]))
    assert all(node.grad == 0 for node in recorded(example.result))
    example.result.backward()
    example.result.backward()
    grads = [node.grad for node in recorded(example.result)]
    assert str(explain(example.result, example["w_{1,1}^{(1)}"])) == before
    assert [node.grad for node in recorded(example.result)] == grads


def test_the_text_grows_with_the_graph_not_with_the_number_of_paths():
    short, long = (len(str(explain(*ladder(rungs)))) for rungs in (15, 30))
    assert 1.5 < long / short < 2.5


def test_each_local_derivative_is_derived_once():
    top, foot = ladder(30)
    text = str(explain(top, foot))
    facts = re.findall(r"^ +(∂\S+) = .*, as ", text, flags=re.MULTILINE)
    assert len(facts) == len(set(facts)) == 4 * 30


def test_a_chain_of_ten_thousand_operations_is_cut_in_the_middle():
    x = y = Value(0.5, "x")
    for _ in range(10_000):
        y = y * 1.0001
    lines = str(explain(y, x)).splitlines()
    assert "    … 9988 more factors …" in lines
    assert len(lines) < 25
    assert len(explain(y, x).latex) < 5_000


def test_a_ladder_of_a_thousand_rungs_is_cut_in_the_middle():
    text = str(explain(*ladder(1000)))
    assert "… 920 more parts of this kind …" in text
    assert text.startswith("∂v3001/∂x = ∂v3001_{v2}/∂x + ∂v3001_{v3}/∂x")


def test_a_sum_over_many_branches_is_cut_in_the_middle():
    x = Value(2.0, "x")
    text = str(explain(total([x * k for k in range(1000)]), x))
    assert " + … + " in text.splitlines()[0]
    assert "    … 988 more branches …" in text.splitlines()


def test_an_input_that_is_read_twice_has_one_local_derivative():
    x = Value(3.0, "x")
    f = (x * x) * 2
    f.label = "f"
    assert str(explain(f, x)).splitlines()[:3] == [
        "∂f/∂x = ∂v2/∂x × ∂f/∂v2",
        "    ∂f/∂v2 = v3 = 2, as f = v2 × v3 = 9 × 2 = 18",
        "    ∂v2/∂x = x + x = 3 + 3 = 6, as v2 = x × x = 3 × 3 = 9",
    ]


def test_a_value_that_the_result_reads_itself_is_a_direct_branch():
    x = Value(3.0, "x")
    f = x.exp() + x
    f.label = "f"
    assert str(explain(f, x)).splitlines()[0] == "∂f/∂x = ∂f_{v2}/∂x + ∂f_{direct}/∂x"


def test_a_value_between_can_be_explained():
    example = lecture.network()
    text = str(explain(example.result, example["s_2"]))
    assert text.splitlines()[0] == "∂E/∂s_2 = ∂y_2/∂s_2 × ∂E/∂y_2"
    assert "∂E/∂s_2 = −0.05388968 ≈ " in text.splitlines()[-1]


def test_the_result_by_itself_is_one():
    x = Value(3.0, "x")
    assert str(explain(x, x)).splitlines()[0] == "∂x/∂x = 1"


def test_a_value_from_elsewhere_is_refused_by_name():
    x, q = Value(3.0, "x"), Value(1.0, "q")
    f = x * 2
    f.label = "f"
    with pytest.raises(ValueError, match="f was not computed from q, but from x, v2"):
        explain(f, q)
    with pytest.raises(ValueError, match=r"f was not computed from Value\(1, grad=0\), but"):
        explain(f, Value(1.0))


def test_what_is_no_value_is_refused():
    x = Value(3.0, "x")
    with pytest.raises(TypeError, match="wrt must be a Value, got str 'x'"):
        explain(x * 2, "x")
    with pytest.raises(TypeError, match="wrt must be a Value, got list "):
        explain(x * 2, [x])
    with pytest.raises(TypeError, match="result must be a Value, got str 'f'"):
        explain("f", x)


def test_a_kink_is_seen_in_the_check():
    x = Value(0.0, "x")
    f = x.relu()
    assert "∂v2/∂x = 0 ≠ " in str(explain(f, x))


def test_a_difference_is_small_beside_the_number():
    x = Value(1e-4, "x")
    assert "∂v3/∂x = −100000000 ≈ " in str(explain(1 / x, x))


def test_the_border_of_a_domain_has_no_check():
    x = Value(1e-9, "x")
    *_, last = str(explain(x.log(), x)).splitlines()
    assert last == "no check by a difference: v2 has no finite number nearby"


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_explained_but_not_checked(number):
    x = Value(float(number), "x")
    first, *_, last = str(explain(x * 2, x)).splitlines()
    assert first == "∂v3/∂x = v2 = 2, as v3 = x × v2 = {0} × 2 = {0}".format(
        number.replace("inf", "∞").replace("-", "−")
    )
    assert last.startswith("no check by a difference")


def test_latex_is_one_aligned_environment():
    example = lecture.network()
    explanation = explain(example.result, example["w_{1,1}^{(1)}"])
    latex = explanation.latex
    assert latex.startswith("\\begin{aligned}\n")
    assert latex.endswith("\n\\end{aligned}")
    assert explanation._repr_latex_() == f"$$\n{latex}\n$$"
    fraction = r"& \frac{\partial E}{\partial w_{1,1}^{(1)}} = \frac{\partial a_1}"
    assert latex.splitlines()[1].startswith(fraction)
    assert latex.count("{") == latex.count("}")
    assert r"\frac{\partial {E}_{y_1}}{\partial z_1}" in latex
    for row in latex.splitlines()[1:-1]:
        assert row.count("&") in (1, 3)


def test_markdown_is_a_nested_list():
    example = lecture.network()
    lines = explain(example.result, example["w_{1,1}^{(2)}"]).markdown.splitlines()
    assert all(re.match(r"(  )*- \$", line) for line in lines)
    assert all(line.count("$") % 2 == 0 for line in lines)
    assert r"  - $= 0.544 \times 0.221 \times 0.570 = 0.0686$" in lines


def test_a_label_that_is_no_mathematics_is_text():
    x = Value(2.0, "50% of $x_1")
    latex = explain(dot([x], [3.0]), x).latex
    assert r"\text{50\% of \$x\_1}" in latex


@pytest.mark.parametrize(("at", "slope"), [(3.0, 3.003), (1e-3, 1.1e-3)])
def test_a_local_derivative_that_is_slightly_wrong_is_not_called_equal(at, slope):
    x = Value(at, "x")
    wrong = record(at * at / 2, OPS["half_square"], (x,), (slope,))
    assert " ≠ " in str(explain(wrong, x)).splitlines()[-1]


@pytest.mark.parametrize("factors", [13, 14])
def test_the_cut_in_a_long_product_is_in_the_same_place_in_names_and_in_numbers(factors):
    x = y = Value(0.5, "x")
    for _ in range(factors):
        y = y * 2
    lines = str(explain(y, x)).splitlines()
    product = next(line for line in lines if line.startswith("    = "))
    for line in (lines[0], product):
        sides = line.split(" = ")[1].split(" × ")
        assert len(sides) == min(factors, 13)
        assert [i for i, side in enumerate(sides) if side == "…"] == [6] * (factors > 13)


def test_an_explanation_prints_itself_at_the_prompt():
    x = Value(0.5, "x")
    assert repr(explain(x * x, x)) == str(explain(x * x, x))


@pytest.mark.parametrize("branches", [13, 14])
def test_the_cut_in_a_long_sum_is_in_the_same_place_in_names_and_in_numbers(branches):
    x = Value(2.0, "x")
    lines = str(explain(total([x * (k + 1) for k in range(branches)]), x)).splitlines()
    shares = next(line for line in lines if line.startswith("    = "))
    for line in (lines[0], shares):
        sides = line.split(" = ")[1].split(" + ")
        assert len(sides) == min(branches, 13)
        assert [i for i, side in enumerate(sides) if side == "…"] == [6] * (branches > 13)


def test_the_last_line_is_aligned_in_latex():
    x = Value(2.0, "x")
    assert r" && \text{with h = 0.00001}" in explain(x * x, x).latex


def test_a_whole_distance_is_written_as_a_whole_number():
    x = Value(1e5, "x")
    assert str(explain(x * 2, x)).endswith("= 2, with h = 1")
