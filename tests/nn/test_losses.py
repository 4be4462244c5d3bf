"""The losses against the lecture, torch and 50-digit arithmetic."""

import itertools
import math
import pickle
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lab import (
    Graph,
    Value,
    binary_cross_entropy,
    cross_entropy,
    draw,
    explain,
    hinge,
    log_softmax,
    mean_squared_error,
    replay,
    softmax,
    squared_error,
    step,
)
from micrograd_lab.engine import recorded

SCORES = [-5.0, -1.0, 1.0, 5.0]
LARGE = list(itertools.product([-1000.0, 0.0, 999.0, 1000.0], repeat=3))


def values(numbers):
    return [Value(x) for x in numbers]


def test_the_lectures_error_is_half_the_sum_of_squares():
    y = values([0.66966798889091966, 0.65988819495524741])
    error = squared_error(y, [0.1, 0.9])
    error.backward()
    assert error.data == pytest.approx(0.19108764824443712, rel=1e-15)
    assert [v.grad for v in y] == pytest.approx([0.56966798889091966, -0.24011180504475259])


def test_the_lectures_error_is_named_as_in_the_lecture():
    graph = recorded(squared_error(values([0.669, 0.659]), [0.1, 0.9]))
    assert [v.label for v in graph if v.label] == ["t_1", "t_2", "e_1", "E_1", "e_2", "E_2", "E"]
    assert [v.label for v in recorded(squared_error(Value(1), 0))] == ["", "t", "e", "E"]


def test_the_lectures_table_of_softmax_has_all_its_digits():
    exact = [4.447311925236265e-05, 0.002428150037382412, 0.017941736842839194, 0.9795856400005261]
    assert [p.data for p in softmax(values(SCORES))] == pytest.approx(exact, rel=1e-15)


def test_the_lectures_cross_entropy_has_all_its_digits():
    s = values(SCORES)
    loss = cross_entropy(s, [0, 0, 0, 1])
    loss.backward()
    exact = [4.447311925236265e-05, 0.002428150037382412, 0.017941736842839194]
    assert loss.data == pytest.approx(0.020625613055540189886, rel=1e-15)
    assert [v.grad for v in s[:3]] == pytest.approx(exact, rel=2e-15)
    assert s[3].grad == pytest.approx(-0.02041435999947397, rel=1e-14)


@pytest.mark.parametrize("target", range(3))
def test_cross_entropy_agrees_with_torch_at_scores_of_a_thousand(target):
    torch = pytest.importorskip("torch")
    for at in LARGE:
        s, t = values(at), torch.tensor(at, dtype=torch.float64, requires_grad=True)
        loss = cross_entropy(s, [float(k == target) for k in range(3)])
        theirs = torch.nn.functional.cross_entropy(t, torch.tensor(target))
        loss.backward()
        theirs.backward()
        assert loss.data == pytest.approx(theirs.item(), rel=1e-15)
        assert [v.grad for v in s] == pytest.approx(t.grad.tolist(), abs=1e-15)


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_agrees_with_torch_at_scores_of_a_thousand(target):
    torch = pytest.importorskip("torch")
    for at in (-1000.0, -1.0, 0.0, 2.0, 1000.0):
        s, t = Value(at), torch.tensor(at, dtype=torch.float64, requires_grad=True)
        loss = binary_cross_entropy(s, target)
        theirs = torch.nn.functional.binary_cross_entropy_with_logits(
            t, torch.tensor(target, dtype=torch.float64)
        )
        loss.backward()
        theirs.backward()
        assert loss.data == pytest.approx(theirs.item(), rel=1e-15)
        assert s.grad == pytest.approx(t.grad.item(), rel=1e-15)


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=6))
def test_softmax_is_a_distribution_and_the_slope_of_cross_entropy(at):
    scores = values(at)
    cross_entropy(scores, [1, *[0] * (len(at) - 1)]).backward()
    p = [p.data for p in softmax(at)]
    assert sum(p) == pytest.approx(1, abs=1e-12)
    assert [s.grad for s in scores] == pytest.approx([p[0] - 1, *p[1:]], abs=1e-12)


def test_the_slopes_of_softmax_agree_with_torch():
    torch = pytest.importorskip("torch")
    s, t = values(SCORES), torch.tensor(SCORES, dtype=torch.float64, requires_grad=True)
    softmax(s)[1].backward()
    torch.softmax(t, 0)[1].backward()
    assert [v.grad for v in s] == pytest.approx(t.grad.tolist(), rel=1e-13)


def test_soft_labels_agree_with_torch():
    torch = pytest.importorskip("torch")
    drawn = random.Random("soft labels")
    for classes in range(2, 8):
        at, soft = ([drawn.uniform(0, 4) for _ in range(classes)] for _ in range(2))
        soft = [t / sum(soft) for t in soft]
        theirs = torch.nn.functional.cross_entropy(
            torch.tensor(at, dtype=torch.float64), torch.tensor(soft, dtype=torch.float64)
        )
        assert cross_entropy(values(at), soft).data == pytest.approx(theirs.item(), rel=1e-14)


def test_mean_squared_error_agrees_with_torch():
    torch = pytest.importorskip("torch")
    y, t = values([0.5, -1.0, 3.0]), torch.tensor([0.5, -1.0, 3.0], requires_grad=True)
    loss = mean_squared_error(y, [1, 1, 1])
    theirs = torch.nn.functional.mse_loss(t, torch.ones(3))
    loss.backward()
    theirs.backward()
    assert loss.data == pytest.approx(theirs.item())
    assert [v.grad for v in y] == pytest.approx(t.grad.tolist())


def test_a_confident_mistake_costs_what_it_should():
    assert cross_entropy(values([0, 1000]), [1, 0]).data == 1000
    assert binary_cross_entropy(Value(-1000), 1).data == 1000


def test_a_confident_success_keeps_its_digits():
    assert cross_entropy(values([0, 40]), [0, 1]).data == pytest.approx(math.exp(-40))
    assert binary_cross_entropy(Value(40), 1).data == pytest.approx(math.exp(-40))


def test_hinge_stops_pulling_at_a_margin_of_one():
    near, far = Value(0.25), Value(-3)
    hinge(near, 1).backward()
    hinge(far, -1).backward()
    assert (near.grad, far.grad) == (-1, 0)


def test_several_outputs_are_summed_or_averaged():
    y = values([1.0, -2.0])
    assert hinge(y, [-1, 1]).data == 2 + 3
    assert squared_error(y, [0, 0]).data == 2.5
    assert mean_squared_error(y, [0, 0]).data == 2.5
    assert binary_cross_entropy(values([0, 0]), [0, 1]).data == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize(
    "loss", [squared_error, mean_squared_error, binary_cross_entropy, cross_entropy, hinge]
)
def test_what_is_recorded_does_not_depend_on_the_numbers(loss):
    def shape(at, targets):
        nodes = recorded(loss(values(at), targets))
        place = {node: i for i, node in enumerate(nodes)}
        return [(node.op, [place[x] for x in node.inputs]) for node in nodes]

    assert shape([0, 1000, -3], [1, -1, 1] if loss is hinge else [1, 0, 0]) == shape(
        [7, 7, 7], [-1, -1, 1] if loss is hinge else [0, 0.5, 0.5]
    )


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        (squared_error, "E"),
        (mean_squared_error, "E"),
        (hinge, "E"),
        (binary_cross_entropy, "H"),
        (cross_entropy, "H"),
    ],
)
def test_a_loss_has_the_letter_of_the_lecture(loss, label):
    assert loss(values([0.5, 2]), [-1, 1] if loss is hinge else [0, 1]).label == label


def test_the_loss_of_a_class_by_number_has_its_letter_too():
    assert cross_entropy(values([0.5, 2]), 1).label == "H"


def test_numbers_that_are_no_values_yet_get_the_letters_of_the_lecture():
    result = hinge([0.5, 2.0], [1, 1])
    leaves = [node.label for node in recorded(result) if not node.inputs and node.label]
    assert leaves == ["y_1", "y_2", "t_1", "t_2"]
    alone = [node.label for node in recorded(hinge(0.5, 1)) if not node.inputs and node.label]
    assert alone == ["y", "t"]


def test_the_parts_of_a_softmax_are_labelled():
    first, second = softmax([0.5, 2.0])
    assert (first.label, second.label) == ("p_1", "p_2")
    assert [x.label for x in recorded(first) if not x.inputs] == ["s_1", "s_2"]


def test_the_mean_of_one_square_is_the_square():
    assert mean_squared_error(Value(3), 1).data == 4
    assert mean_squared_error([Value(3)], [1]).data == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s: squared_error(s, [1, 0]), "3 outputs but 2 targets; give one target per output"),
        (lambda s: squared_error(s, 1), "3 outputs but 1 targets"),
        (lambda s: cross_entropy(s, 3), "class 3 of 3 scores; they count from 0"),
        (lambda s: cross_entropy(s, -1), "class -1 of 3 scores"),
        (lambda s: cross_entropy(s, 0.5), r"class 0\.5 of 3 scores"),
        (lambda s: cross_entropy(s, math.nan), "class nan of 3 scores"),
        (lambda s: hinge([], []), "0 outputs but 0 targets"),
        (lambda s: cross_entropy(s, [1, 1, 0]), "targets sum to 2, not 1"),
        (lambda s: cross_entropy(s, [math.nan, 1, 0]), "targets sum to nan, not 1"),
        (lambda s: cross_entropy(s[0], 1), "1 score; cross_entropy needs one per class"),
        (lambda s: binary_cross_entropy(s[0], -1), "target -1 is not a probability"),
        (lambda s: hinge(s[0], 0), "target 0; hinge needs -1 or 1"),
        (lambda s: hinge(s[0], math.nan), "target nan; hinge needs -1 or 1"),
        (lambda s: binary_cross_entropy(s[0], math.nan), "target nan is not a probability"),
        (lambda s: softmax([]), "0 scores; softmax needs at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make(values([1, 2, 3]))


@pytest.mark.parametrize("at", [[0.5, -2.0, 3.0], [-1000.0, 0.0, 1000.0], [7.0]], ids=str)
def test_log_softmax_is_torch_s(at):
    torch = pytest.importorskip("torch")
    ours, theirs = values(at), torch.tensor(at, dtype=torch.float64, requires_grad=True)
    found, expected = log_softmax(ours), torch.log_softmax(theirs, 0)
    assert [x.data for x in found] == pytest.approx(expected.tolist(), rel=1e-14)
    found[0].backward()
    expected[0].backward()
    assert [x.grad for x in ours] == pytest.approx(theirs.grad.tolist(), rel=1e-14)


def test_a_negative_target_is_no_probability():
    with pytest.raises(ValueError, match="target -1 is negative; each is a probability"):
        cross_entropy([1.0, 2.0], [-1, 2])


@pytest.mark.parametrize("target", range(3))
def test_a_class_by_its_number_costs_what_its_one_hot_row_costs(target):
    scores, others = values([0.5, -2.0, 3.0]), values([0.5, -2.0, 3.0])
    by_number = cross_entropy(scores, target)
    by_row = cross_entropy(others, [int(k == target) for k in range(3)])
    by_number.backward()
    by_row.backward()
    assert by_number.data == by_row.data
    assert [s.grad for s in scores] == pytest.approx([s.grad for s in others], abs=1e-15)


@pytest.mark.parametrize("kind", [bool, float, Value, np.int64, np.array])
def test_the_number_of_a_class_comes_in_any_form(kind):
    assert cross_entropy([1.0, 2.0], kind(1)).data == cross_entropy([1.0, 2.0], [0, 1]).data


def test_a_replay_picks_the_class_of_each_sample():
    t = Value(0, "t")
    s = values([0.5, -2.0, 3.0])
    program = replay(lambda t: cross_entropy(s, t), [t], s, backend="numpy")
    mean = sum(cross_entropy(s, k).data for k in range(3)) / 3
    assert program([[0], [1], [2]]) == pytest.approx(mean, rel=1e-14)


def test_a_name_is_no_target_of_a_loss():
    with pytest.raises(TypeError, match="target 'cat' is a name; give its number, or let fit"):
        cross_entropy([1.0, 2.0], "cat")


@pytest.mark.parametrize("loss", [squared_error, mean_squared_error, cross_entropy])
def test_outputs_and_targets_may_be_arrays(loss):
    torch, pandas = pytest.importorskip("torch"), pytest.importorskip("pandas")
    expected = loss([1.0, 2.0], [0.0, 1.0]).data
    for targets in (
        np.array([0, 1]),
        pandas.Series([0, 1], index=[5, 3]),
        torch.tensor([0.0, 1.0], requires_grad=True),
        [torch.tensor(0.0), np.array(1.0)],
    ):
        assert loss(np.array([1.0, 2.0]), targets).data == expected
    assert squared_error(np.array([Value(1), 2.0]), [0, 1]).data == 1
    assert squared_error(Value(3), np.array(1.0)).data == 2


def in_the_textbook(loss, leaves):
    """The loss as a book prints it, and its gradients."""
    graph = Graph.at_present(loss, gradients=True, textbook=True)
    return graph.result.data, [graph.twins[leaf].grad for leaf in leaves]


@pytest.mark.parametrize("target", [2, [0.1, 0.2, 0.7], [0, 0, 1]])
def test_the_textbook_form_of_cross_entropy_has_its_number_and_gradients(target):
    scores = [Value(x, f"s_{k}") for k, x in enumerate((0.3, -1.2, 2.1))]
    loss = cross_entropy(scores, target)
    loss.backward()
    data, grads = in_the_textbook(loss, scores)
    assert data == pytest.approx(loss.data, rel=1e-12)
    assert grads == pytest.approx([score.grad for score in scores], rel=1e-12)


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_the_textbook_form_of_binary_cross_entropy_has_its_number_and_gradient(target):
    score = Value(0.7, "s")
    loss = binary_cross_entropy(score, target)
    loss.backward()
    data, (grad,) = in_the_textbook(loss, [score])
    assert (data, grad) == pytest.approx((loss.data, score.grad), rel=1e-12)


def test_the_textbook_shows_each_probability_with_its_gradient():
    scores = [Value(x, f"s_{k}") for k, x in enumerate((-5, -1, 1, 5), 1)]
    graph = Graph.at_present(cross_entropy(scores, [0, 0, 0, 1]), gradients=True, textbook=True)
    shown = {graph.names[node]: node for node in graph.nodes}
    assert [round(shown[f"p_{k}"].data, 5) for k in (1, 2, 3, 4)] == [
        4e-5,
        0.00243,
        0.01794,
        0.97959,
    ]
    assert shown["p_4"].grad == pytest.approx(-1 / shown["p_4"].data)
    assert shown["s_4"].grad == pytest.approx(shown["p_4"].data - 1)  # y − t


def test_the_textbook_follows_a_score_that_moved():
    scores = [Value(0.0, "s_1"), Value(0.0, "s_2")]
    loss = cross_entropy(scores, 1)
    scores[0].data = 1.5
    data, _ = in_the_textbook(loss, scores)
    assert data == pytest.approx(cross_entropy([1.5, 0.0], 1).data)


def test_the_probabilities_of_a_softmax_share_their_exponentials():
    scores = [Value(0.5, "s_1"), Value(-0.5, "s_2"), Value(0.0, "s_3")]
    first, second, _ = softmax(scores)
    graph = Graph.at_present(first * second, textbook=True)
    assert [node.op.name for node in graph.nodes if node.op] == [
        *["exp"] * 3,
        *["sum", "div", "div", "mul"],
    ]


def test_probabilities_are_copied_and_pickled_with_their_textbook():
    again = pickle.loads(pickle.dumps(softmax([Value(0.5), Value(1.0)])))
    assert [p.data for p in again] == [p.data for p in softmax([0.5, 1.0])]


def test_what_shows_a_loss_takes_the_textbook():
    scores = [Value(0.5, "s_1"), Value(-0.5, "s_2")]
    loss = cross_entropy(scores, 1)
    for text in (
        repr(draw(loss, textbook=True)),
        repr(step(loss, textbook=True)),
        str(explain(loss, scores[0], textbook=True)),
    ):
        assert "11 nodes" in text or "÷" in text
