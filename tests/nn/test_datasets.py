"""The data sets."""

import math
import sys

import numpy as np
import pytest

from micrograd_lab.nn.datasets import Data, circles, digits, gate, moons, spirals

GENERATED = [moons, circles, spirals]

every_generator = pytest.mark.parametrize("make", GENERATED, ids=lambda make: make.__name__)


@every_generator
def test_the_same_seed_gives_the_same_points(make):
    assert make(50, seed=1) == make(50, seed=1)
    assert make(50, seed=1) != make(50, seed=2)


@every_generator
def test_half_of_the_points_are_in_each_class(make):
    assert sorted(make(7, seed=1).targets) == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.slow
def test_moons_lie_on_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    points, classes = datasets.make_moons(2000, noise=None)
    for point, target in zip(*moons(30, noise=0, seed=1)):
        assert min(math.dist(point, other) for other in points[classes == target]) < 0.002


def test_noise_has_the_standard_deviation_it_says():
    radii = [math.hypot(*point) for point in circles(800, noise=0.03, seed=1).inputs]
    squares = [min((r - 1) ** 2, (r - 0.5) ** 2) for r in radii]
    assert math.sqrt(sum(squares) / len(squares)) == pytest.approx(0.03, rel=0.1)


def test_the_arms_of_a_spiral_mirror_each_other():
    inputs, targets = spirals(50, noise=0, turns=2, seed=1)
    for (x, y), target in zip(inputs, targets):
        wound = 4 * math.pi * math.hypot(x, y) + math.pi * target
        assert math.cos(math.atan2(y, x) - wound) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("and", [1, 0, 0, 0]),
        ("or", [1, 1, 1, 0]),
        ("nand", [0, 1, 1, 1]),
        ("nor", [0, 0, 0, 1]),
        ("xor", [0, 1, 1, 0]),
        ("XNOR", [1, 0, 0, 1]),
    ],
)
def test_a_gate_has_the_lectures_truth_table(name, outputs):
    assert gate(name).targets == outputs


def test_a_gate_can_be_a_cloud_around_its_corners():
    inputs, targets = gate("and", 200, noise=0.05, seed=1)
    assert len(inputs) == len(set(map(tuple, inputs))) == 200
    assert targets == [round(x) & round(y) for x, y in inputs]


def test_a_split_keeps_every_sample_once():
    data = spirals(50, seed=1)
    one, other = data.split(0.3, seed=2)
    assert len(other.inputs) == 15
    together = [*zip(*one), *zip(*other)]
    assert sorted(map(repr, together)) == sorted(map(repr, zip(*data)))
    assert data.split(0.3, seed=2) == (one, other)


def test_digits_have_64_inputs_and_10_classes():
    pytest.importorskip("sklearn")
    inputs, targets = digits()
    assert (len(inputs), len(inputs[0]), len(targets[0])) == (1797, 64, 10)
    assert {sum(target) for target in targets} == {1}
    assert (min(map(min, inputs)), max(map(max, inputs))) == (0, 1)


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: moons(0), "0 samples; at least 1"),
        (lambda: circles(noise=-1), "noise is -1"),
        (lambda: gate("xand"), "no gate 'xand'; there are and, or, nand"),
        (lambda: moons().split(1.5), r"part is 1\.5"),
    ],
)
def test_what_cannot_be_made_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_many_samples_show_their_shapes_at_a_prompt_and_few_show_themselves():
    pytest.importorskip("sklearn")
    assert repr(digits()) == "Data(inputs: 1797 × 64, targets: 1797 × 10)"
    assert repr(moons(100, seed=1)) == "Data(inputs: 100 × 2, targets: 100)"
    assert repr(Data(np.zeros((50, 3)), np.zeros(50))) == "Data(inputs: 50 × 3, targets: 50)"
    assert repr(Data([[1.0]], [2])) == "Data(inputs=[[1.0]], targets=[2])"
    assert repr(Data([], [])) == "Data(inputs=[], targets=[])"
