"""Networks in files, and to and from PyTorch."""

import json
import random

import numpy as np
import pytest

from micrograd_lab import MLP, Neuron, from_torch, load, save, to_torch

pytest.importorskip("safetensors")


def masked():
    return MLP(3, [2, 1], activation="tanh", masks=[[[1, 0, 1], [0, 1, 1]], None], seed=1)


NETWORKS = {
    "relu inside": lambda: MLP(2, [16, 16, 1], seed=1),
    "one layer": lambda: MLP(4, [3], seed=1),
    "sigmoid to the end": lambda: MLP(2, [2, 2], activation=["sigmoid", "sigmoid"], seed=1),
    "linear in between": lambda: MLP(2, [3, 2, 2], activation=["tanh", None, "softplus"], seed=1),
    "smooth": lambda: MLP(2, [3] * 5, activation=["silu", "gelu", "gelu_tanh", "elu", None]),
    "leaky": lambda: MLP(1, [5, 1], activation="leaky_relu", seed=1),
    "masked": masked,
}
every_network = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS.keys())


def moved(model, seed):
    """`model` with biases that are not 0."""
    drawn = random.Random(seed)
    for p in model.parameters():
        p.data += drawn.uniform(-0.5, 0.5)
    return model


def outputs_and_gradients(model, point):
    outputs = model(point)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    model.zero_grad()
    sum(y * y for y in outputs).backward()
    return [y.data for y in outputs] + [p.grad for p in model.parameters()]


def outputs_and_gradients_by_torch(torch, model, network, point):
    """The same from torch, in our order: for each neuron its weights, then its bias."""
    outputs = network(torch.tensor(point, dtype=torch.float64))
    network.zero_grad()
    (outputs * outputs).sum().backward()
    linears = [m for m in network if isinstance(m, torch.nn.Linear)]
    grads = []
    for layer, linear in zip(model.layers, linears):
        for j, neuron in enumerate(layer.neurons):
            grads += [linear.weight.grad[j][i].item() for i in neuron.links]
            grads.append(linear.bias.grad[j].item())
    return outputs.tolist() + grads


@every_network
def test_a_network_comes_back_from_its_file(make, tmp_path):
    model = moved(make(), 1)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()


@every_network
def test_pytorch_loads_the_file_under_its_own_names(make, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    model = moved(make(), 2)
    network = to_torch(make())
    save(model, str(tmp_path / "model.safetensors"))
    network.load_state_dict(load_file(tmp_path / "model.safetensors"))
    point = [0.3, -0.8, 1.1, 0.4][: model.layers[0].neurons[0].nin]
    assert outputs_and_gradients(model, point) == pytest.approx(
        outputs_and_gradients_by_torch(torch, model, network, point), abs=1e-12
    )


def test_a_file_that_pytorch_wrote_is_loaded(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    path = tmp_path / "torch.safetensors"
    network = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)
    )  # in float32
    save_file(network.state_dict(), path)
    model = load(path, MLP(2, [3, 1]))
    assert model([0.5, -1]).data == pytest.approx(network(torch.tensor([0.5, -1])).item(), abs=1e-6)
    with pytest.raises(ValueError, match=r"does not describe its network; give one: load"):
        load(path)


@every_network
def test_outputs_and_gradients_are_the_same_under_pytorch(make):
    torch = pytest.importorskip("torch")
    model = moved(make(), 3)
    for point in ([0.3, -0.8, 1.1, 0.4], [-30.0, 12.0, 5.0, 1.0]):
        point = point[: model.layers[0].neurons[0].nin]
        assert outputs_and_gradients(model, point) == pytest.approx(
            outputs_and_gradients_by_torch(torch, model, to_torch(model), point),
            rel=1e-12,
            abs=1e-12,
        )


def test_a_link_that_is_cut_stays_cut_under_pytorch():
    torch = pytest.importorskip("torch")
    network = to_torch(masked())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.ones(3, dtype=torch.float64)).sum().backward()
        optimizer.step()
    assert [network[0].weight[0, 1].item(), network[0].weight[1, 0].item()] == [0, 0]
    assert network[0].weight[0, 0].item() != masked().parameters()[0].data


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "masked"])
def test_a_network_comes_back_from_pytorch(name):
    pytest.importorskip("torch")
    model = moved(NETWORKS[name](), 4)
    again = from_torch(to_torch(model))
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()


def test_other_modules_are_refused():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    refused = {
        "module 1 is Dropout": [nn.Linear(2, 2), nn.Dropout()],
        "module 0 is ReLU": [nn.ReLU(), nn.Linear(2, 2)],
        "module 2 is Tanh": [nn.Linear(2, 2), nn.ReLU(), nn.Tanh()],
        "module 0 is Linear.*bias=False": [nn.Linear(2, 2, bias=False)],
        r"module 1 is LeakyReLU\(negative_slope=0\.3\)": [nn.Linear(2, 2), nn.LeakyReLU(0.3)],
        "0 modules": [],
    }
    with pytest.raises(TypeError, match=r"needs a torch\.nn\.Sequential, got Linear"):
        from_torch(nn.Linear(2, 2))
    for message, modules in refused.items():
        with pytest.raises(ValueError, match=message):
            from_torch(nn.Sequential(*modules))


@pytest.mark.parametrize("activation", ["sin", lambda x: x * x])
def test_an_activation_without_a_module_is_refused(activation):
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"torch\.nn has no module for the activation"):
        to_torch(MLP(1, [1, 1], activation=activation))


def test_a_function_is_not_written_down(tmp_path):
    path = tmp_path / "model.safetensors"
    model = MLP(1, [1, 1], activation=lambda x: x * x, seed=1)
    save(model, path)
    with pytest.raises(ValueError, match="does not describe its network"):
        load(path)
    other = MLP(1, [1, 1], activation=lambda x: x * x, seed=2)
    assert load(path, other).state_dict() == model.state_dict()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.safetensors"
    save(MLP(2, [3, 1], seed=1), path)
    return path


@pytest.mark.parametrize("cut", [0, 4, 60, 200, -1])
def test_a_cut_file_is_refused(file, cut):
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"model\.safetensors is not a complete safetensors file"):
        load(file)


def test_a_foreign_file_is_refused(file):
    file.write_bytes(b"PK\x03\x04 something else altogether" * 10)
    with pytest.raises(ValueError, match="is not a complete safetensors file"):
        load(file)


def test_a_folder_is_refused_by_its_name(tmp_path):
    with pytest.raises(OSError, match=tmp_path.name):
        load(tmp_path)


def test_a_description_nested_too_deeply_is_refused(file):
    from safetensors.numpy import load_file, save_file

    nested = "[" * 100_000 + "]" * 100_000
    save_file(load_file(file), file, {"micrograd_lab.MLP": nested})
    with pytest.raises(ValueError, match=r"model\.safetensors: it describes no network"):
        load(file)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: MLP(2, [4, 1], seed=2), r"0\.weight has shape \(3, 2\), the network \(4, 2\)"),
        (lambda: MLP(2, [3, 2], seed=2), r"2\.weight has shape \(1, 3\), the network \(2, 3\)"),
        (lambda: MLP(2, [3, 1, 1], seed=2), r"4 tensors for 6: 4\.weight is missing"),
        (lambda: MLP(2, [3], seed=2), r"4 tensors for 2: 2\.bias is unknown"),
        (
            lambda: MLP(2, [3, 1], masks=[[[1, 1], [0, 1], [1, 1]], None], seed=2),
            r"0\.weight\[1\]\[0\] is -?[\d.]+, but that link is cut",
        ),
    ],
)
def test_a_file_of_another_network_changes_nothing(file, model, message):
    model = model()
    before = model.state_dict()
    with pytest.raises(ValueError, match=message):
        load(file, model)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("nonsense", "describes no network"),
        (json.dumps({"activation": ["relu", None]}), "describes no network: 'masks'"),
        (json.dumps({"activation": ["swish", None], "masks": None}), "no activation 'swish'"),
        (json.dumps({"activation": [None], "masks": None}), "1 activations for 2 layers"),
        (json.dumps([]), "describes no network"),
    ],
)
def test_a_false_description_is_refused(file, about, message):
    np = pytest.importorskip("numpy")
    from safetensors.numpy import save_file

    tensors = {"0.weight": np.ones((3, 2)), "0.bias": np.ones(3)}
    tensors |= {"2.weight": np.ones((1, 3)), "2.bias": np.ones(1)}
    save_file(tensors, file, {"micrograd_lab.MLP": about})
    with pytest.raises(ValueError, match=message):
        load(file)


def test_whole_numbers_are_no_weights(file):
    np = pytest.importorskip("numpy")
    from safetensors.numpy import save_file

    save_file({"0.weight": np.ones((1, 1), int), "0.bias": np.ones(1, int)}, file)
    with pytest.raises(ValueError, match=r"holds I64, not F64, F32 or F16"):
        load(file, MLP(1, [1]))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.safetensors")


def test_what_cannot_be_saved_leaves_the_file_alone(file):
    before = file.read_bytes()
    with pytest.raises(TypeError, match="model must be an MLP, got Neuron"):
        save(Neuron(2), file)
    with pytest.raises(ValueError, match=r"'model\.pt' has no known format; end it in \.safe"):
        save(MLP(1, [1]), file.with_name("model.pt"))
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_softplus_is_exact_under_pytorch_where_its_own_default_is_not():
    torch = pytest.importorskip("torch")
    model = MLP(1, [1], activation=["softplus"], seed=1)
    (w, b) = model.parameters()
    w.data, b.data = 1.0, 0.0
    for x in (20.5, 22.0, 30.0, 39.0):
        ours = model([x]).data
        assert to_torch(model)(torch.tensor([x], dtype=torch.float64)).item() == ours
        assert ours > x or x > 36


def test_a_softplus_that_is_cut_off_early_is_refused():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    for threshold in (1, 3, 10, 15):
        modules = nn.Linear(1, 1), nn.Softplus(threshold=threshold)
        with pytest.raises(ValueError, match=rf"module 1 is Softplus.*threshold={threshold}"):
            from_torch(nn.Sequential(*modules))
    assert from_torch(nn.Sequential(nn.Linear(1, 1), nn.Softplus())).layers


@pytest.mark.parametrize("classes", [["cat", "dog"], [3, 13], []])
def test_a_file_keeps_the_names_of_classes(tmp_path, classes):
    model = MLP(2, [2], seed=1)
    model.classes = np.array(classes) if classes else []
    save(model, tmp_path / "m.safetensors")
    found = load(tmp_path / "m.safetensors")
    assert list(found.classes) == classes
    assert found.predict([[1.0, 2.0]]).tolist() == model.predict([[1.0, 2.0]]).tolist()
