"""Neurons, layers and MLPs."""

import copy
import math
import random

import pytest

from micrograd_lab import MLP, Graph, Layer, Module, Neuron, Value
from micrograd_lab.ops import OPS

UNARY = [op.name for op in OPS.values() if op.unary]


def weights(model):
    return [p.data for p in model.parameters()]


def test_a_neuron_records_one_sum_and_one_activation():
    graph = Graph(Neuron(3)([1, 2, 3]), products=False)
    assert [node.op.name for node in graph.nodes if node.inputs] == ["dot", "relu"]


@pytest.mark.parametrize("name", UNARY)
def test_every_operation_of_one_input_can_be_an_activation(name):
    neuron = Neuron(1, activation=name)
    neuron.w[0].data = 0.5
    assert neuron([1]).data == getattr(Value(0.5), name)().data


@pytest.mark.parametrize("linear", [None, "linear", "identity"])
def test_a_linear_neuron_is_its_sum(linear):
    assert Neuron(2, activation=linear)([1, 2]).op.name == "dot"


def test_a_function_can_be_an_activation():
    neuron = Neuron(1, activation=lambda x: x * x)
    neuron.w[0].data = 3.0
    assert neuron([2]).data == 36


def test_a_method_of_value_is_known_by_its_name():
    assert repr(Neuron(2, activation=Value.tanh)) == "tanhNeuron(2)"


def test_the_activation_can_differ_from_layer_to_layer():
    output = MLP(1, [1, 1, 1], activation=["tanh", None, "sigmoid"])([1])
    computed = [node.op.name for node in Graph(output, products=False).nodes if node.inputs]
    assert computed == ["dot", "tanh", "dot", "dot", "sigmoid"]


def test_an_mlp_is_rectified_inside_and_linear_at_the_end():
    assert repr(MLP(2, [2, 1])) == "MLP(2, [2, 1]) of relu, linear, 9 parameters"


def test_a_model_is_one_short_line_however_many_neurons_it_has():
    model = MLP(2, [16, 16, 1])
    assert repr(model) == "MLP(2, [16, 16, 1]) of relu, relu, linear, 337 parameters"
    assert repr(model.layers[1]) == "Layer(16, 16) of relu, 272 parameters"


def test_a_model_of_ones_own_says_how_many_parameters_it_has():
    class Line(Module):
        def parameters(self):
            return [Value(2, "slope")]

    assert repr(Line()) == "Line of 1 parameters"


def test_a_model_in_a_notebook_shows_its_layers_and_its_network():
    shown = MLP(2, [3, 1], activation="tanh")._repr_mimebundle_()
    assert "2 → 3        tanh           9" in shown["text/html"]
    assert 'alt="Network of 2, 3 and 1 nodes"' in shown["text/html"]
    assert shown["application/pdf"]


def test_a_large_model_in_a_notebook_is_shown_too():
    assert "Network of" in MLP(64, [200, 10])._repr_mimebundle_()["text/html"]


def test_a_layer_of_one_neuron_returns_the_value_itself():
    assert isinstance(Layer(2, 1)([1, 2]), Value)
    assert len(Layer(2, 2)([1, 2])) == 2


def test_a_layer_of_one_neuron_can_feed_another_layer():
    assert len(MLP(2, [1, 3])([1, 2])) == 3


def test_parameters_come_neuron_by_neuron_weights_before_bias():
    assert [p.label for p in MLP(2, [2, 1]).parameters()] == [
        "w_{1,1}^{(1)}",
        "w_{2,1}^{(1)}",
        "w_{0,1}^{(1)}",
        "w_{1,2}^{(1)}",
        "w_{2,2}^{(1)}",
        "w_{0,2}^{(1)}",
        "w_{1,1}^{(2)}",
        "w_{2,1}^{(2)}",
        "w_{0,1}^{(2)}",
    ]


def test_computed_values_are_named_as_in_the_lecture():
    y, _ = MLP(2, [1, 2], activation=["sigmoid", "sigmoid"])([1, 2])
    names = [node.label for node in Graph(y, products=False).nodes if node.inputs]
    assert names == ["a_1", "z_1", "s_1", "y_1"]


def test_several_hidden_layers_are_told_apart():
    score = MLP(2, [1, 1, 1])([1, 2])
    names = [node.label for node in Graph(score, products=False).nodes if node.inputs]
    assert names == ["a_1^{(1)}", "z_1^{(1)}", "a_1^{(2)}", "z_1^{(2)}", "s_1"]


def test_numbers_given_as_inputs_become_shared_labelled_leaves():
    for model in (MLP(2, [3, 1]), Layer(2, 1), Neuron(2)):
        graph = Graph(model([0.5, 0.25]), products=False)
        assert [node.label for node in graph.nodes if graph.kind(node) == "input"] == ["x_1", "x_2"]


def test_the_lectures_network_gives_the_lectures_outputs():
    model = MLP(2, [2, 2], activation=["sigmoid", "sigmoid"])
    start = [0.15, 0.2, 0.1, 0.2, 0.3, 0.2, 0.4, 0.5, 0.2, 0.45, 0.55, 0.1]
    for parameter, number in zip(model.parameters(), start):
        parameter.data = number
    y1, y2 = model([0.12, 0.3])
    assert (y1.data, y2.data) == pytest.approx((0.66966798889091966, 0.65988819495524741))


def test_the_same_seed_gives_the_same_weights():
    assert weights(MLP(2, [4, 1], seed=3)) == weights(MLP(2, [4, 1], seed=3))
    assert weights(MLP(2, [4, 1], seed=3)) != weights(MLP(2, [4, 1], seed=4))


def test_without_a_seed_pythons_generator_governs():
    random.seed(1)
    first = weights(MLP(2, [4, 1]))
    random.seed(1)
    assert weights(MLP(2, [4, 1])) == first


def test_biases_start_at_zero():
    assert [neuron.b.data for neuron in Layer(3, 4).neurons] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("xavier_uniform", 2 / (50 + 40)),
        ("xavier_normal", 2 / (50 + 40)),
        ("he_uniform", 2 / 50),
        ("he_normal", 2 / 50),
    ],
)
def test_starting_weights_have_the_variance_of_the_paper(init, variance):
    numbers = [w.data for n in Layer(50, 40, init=init, seed=1).neurons for w in n.w]
    measured = sum(x * x for x in numbers) / len(numbers)
    assert measured == pytest.approx(variance, rel=0.1)
    if init.endswith("uniform"):
        assert max(numbers) <= math.sqrt(3 * variance) < 1.02 * max(numbers)


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        ("relu", "he_normal"),
        ("softplus", "he_normal"),
        ("leaky_relu", "he_normal"),
        ("tanh", "xavier_uniform"),
        ("sigmoid", "xavier_uniform"),
        ("log", "xavier_uniform"),
        (None, "xavier_uniform"),
    ],
)
def test_rectifiers_start_as_he_and_the_rest_as_xavier(activation, init):
    chosen = Layer(3, 2, activation=activation, seed=1)
    assert weights(chosen) == weights(Layer(3, 2, activation=activation, init=init, seed=1))
    other = "xavier_uniform" if init == "he_normal" else "he_normal"
    assert weights(chosen) != weights(Layer(3, 2, activation=activation, init=other, seed=1))


def test_he_allows_for_the_slope_of_a_leaky_rectifier():
    plain = Layer(3, 2, activation="relu", seed=1)
    leaky = Layer(3, 2, activation=lambda x: x.leaky_relu(0.5), seed=1)
    ratio = leaky.neurons[0].w[0].data / plain.neurons[0].w[0].data
    assert ratio == pytest.approx(1 / math.sqrt(1.25))


def test_a_mask_leaves_only_the_links_it_marks():
    layer = Layer(3, 2, mask=[[1, 0, 1], [0, 1, 0]], activation=None)
    assert [w.label for w in layer.parameters()] == [
        "w_{1,1}",
        "w_{3,1}",
        "w_{0,1}",
        "w_{2,2}",
        "w_{0,2}",
    ]
    for parameter, number in zip(layer.parameters(), [2, 3, 0, 5, 0]):
        parameter.data = number
    assert [output.data for output in layer([1, 10, 100])] == [302, 50]


def test_zero_grad_forgets_the_last_backward():
    model = MLP(2, [2, 1])
    model([1, 2]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_a_state_dict_carries_a_model_over():
    one, other = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    other.load_state_dict(one.state_dict())
    assert weights(other) == weights(one)


def test_a_state_that_does_not_fit_changes_nothing():
    model = MLP(2, [3, 1], seed=1)
    before = weights(model)
    with pytest.raises(ValueError, match=r"17 numbers for 13 parameters: w_\{1,4\}\^\{\(1\)\} is"):
        model.load_state_dict(MLP(2, [4, 1]).state_dict())
    with pytest.raises(ValueError, match=r"0 numbers for 13 parameters: .* is missing"):
        model.load_state_dict({})
    with pytest.raises(TypeError, match="one real number, not str"):
        model.load_state_dict(model.state_dict() | {"w_{0,1}^{(2)}": "1"})
    assert weights(model) == before


def test_parameters_with_one_label_keep_different_names():
    class Two(Module):
        def __init__(self):
            self.parts = [Neuron(1), Neuron(1)]

        def parameters(self):
            return [p for part in self.parts for p in part.parameters()]

    assert list(Two().state_dict()) == ["w_1", "w_0", "w_1 (p3)", "w_0 (p4)"]


def test_a_copied_model_has_its_own_parameters():
    model = MLP(2, [2, 1], seed=1)
    twin = copy.deepcopy(model)
    twin.parameters()[0].data = 7.0
    assert model.parameters()[0].data != 7
    assert twin([1, 2]).label == "s_1"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(2, []), r"layers of sizes \[\]; give a list"),
        (lambda: MLP(2, 3), "layers of sizes 3; give a list"),
        (lambda: MLP(2, [3, 1], activation=5), "no activation 5; there are linear"),
        (lambda: MLP(0, [1]), "0 inputs and 1 neurons"),
        (lambda: Layer(2, 0), "2 inputs and 0 neurons"),
        (lambda: Layer(2, 1.5), r"2 inputs and 1\.5 neurons"),
        (lambda: Neuron(-1), "-1 inputs"),
        (lambda: MLP(2, [3, 1], activation=["tanh"]), "1 activations for 2 layers"),
        (lambda: MLP(2, [3, 1], masks=[None]), "1 masks for 2 layers"),
        (lambda: Layer(2, 3, mask=[[1, 1]]), "a mask of 1 rows for 3 neurons"),
        (lambda: Neuron(3, mask=[1, 1]), "a mask of 2 entries for 3 inputs"),
        (lambda: Neuron(2, mask=[0, 0]), "the mask cuts all 2 inputs"),
        (lambda: Neuron(2, activation="swish"), "no activation 'swish'; there are linear, neg"),
        (lambda: Neuron(2, init="he"), "no init 'he'; there are xavier_uniform"),
        (lambda: Neuron(2)([1, 2, 3]), "3 inputs to a neuron with 2"),
        (lambda: Layer(2, 2)([]), "0 inputs to a neuron with 2"),
        (lambda: MLP(2, [2, 1])(5), "1 inputs to a neuron with 2"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_code_written_for_micrograd_runs_with_its_imports_changed():
    from micrograd_lab.engine import Value
    from micrograd_lab.nn import MLP

    random.seed(7)
    rows = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(20)]
    signs = [1 if x * y > 0 else -1 for x, y in rows]
    net = MLP(2, [8, 1])

    def margin_loss():
        scores = list(map(net, [list(map(Value, row)) for row in rows]))
        hinges = [(1 + -sign * score).relu() for sign, score in zip(signs, scores)]
        penalty = 1e-4 * sum(p * p for p in net.parameters())
        right = [(sign > 0) == (score.data > 0) for sign, score in zip(signs, scores)]
        return sum(hinges) * (1.0 / len(hinges)) + penalty, sum(right) / len(right)

    first, _ = margin_loss()
    for _ in range(80):
        loss, accuracy = margin_loss()
        net.zero_grad()
        loss.backward()
        for p in net.parameters():
            p.data -= 0.3 * p.grad
    assert loss.data < 0.6 * first.data
    assert accuracy >= 0.9


def test_micrograds_constructor_forms_are_understood():
    assert repr(Neuron(2, False)) == "LinearNeuron(2)"
    assert repr(Neuron(2, nonlin=True)) == "ReLUNeuron(2)"
    assert repr(Layer(1, 1, nonlin=False)) == "Layer(1, 1) of linear, 2 parameters"


def test_outputs_and_gradients_are_torchs():
    torch = pytest.importorskip("torch")
    model = MLP(3, [4, 2], activation=["tanh", "sigmoid"], seed=5)
    point = [0.3, -1.2, 2.0]
    twins = [
        torch.tensor(p.data, dtype=torch.float64, requires_grad=True) for p in model.parameters()
    ]
    left = iter(twins)
    z = [torch.tensor(x, dtype=torch.float64) for x in point]
    for layer, activate in zip(model.layers, (torch.tanh, torch.sigmoid)):
        z = [activate(sum(next(left) * x for x in z) + next(left)) for _ in layer.neurons]
    sum(z).backward()
    outputs = model(point)
    sum(outputs).backward()
    assert [y.data for y in outputs] == pytest.approx([y.item() for y in z], abs=1e-15)
    assert [p.grad for p in model.parameters()] == pytest.approx(
        [t.grad.item() for t in twins], abs=1e-14
    )


def test_a_function_of_math_is_no_activation():
    with pytest.raises(TypeError, match=r'tanh returned float .*no Value.*activation="tanh"'):
        MLP(1, [1, 1], activation=math.tanh)


def drawn_by_micrograd(generator, nin, nouts):
    """The parameters of micrograd's MLP: each weight from -1 to 1, then a bias of 0."""
    sizes = [nin, *nouts]
    return [
        number
        for fan_in, neurons in zip(sizes, nouts)
        for _ in range(neurons)
        for number in [*(generator.uniform(-1, 1) for _ in range(fan_in)), 0.0]
    ]


def test_uniform_weights_are_micrograds_for_the_same_seed():
    model = MLP(3, [4, 4, 1], init="uniform", seed=1337)
    assert weights(model) == drawn_by_micrograd(random.Random(1337), 3, [4, 4, 1])
    assert weights(model)[:2] == [0.23550571390294128, 0.06653114721000164]  # random.seed(1337)


def test_uniform_weights_are_micrograds_where_the_program_seeds_python():
    random.seed(1337)
    model = MLP(2, [16, 16, 1], init="uniform")
    random.seed(1337)
    assert weights(model) == drawn_by_micrograd(random, 2, [16, 16, 1])
    layer = Layer(2, 3, init="uniform")
    neuron = Neuron(2, init="uniform")
    random.seed(1337)
    drawn_by_micrograd(random, 2, [16, 16, 1])
    assert weights(layer) + weights(neuron) == (
        drawn_by_micrograd(random, 2, [3]) + drawn_by_micrograd(random, 2, [1])
    )


def test_a_neuron_with_a_seed_draws_each_uniform_weight_anew():
    generator = random.Random(3)
    assert weights(Neuron(3, init="uniform", seed=3))[:3] == [
        generator.uniform(-1, 1) for _ in range(3)
    ]
