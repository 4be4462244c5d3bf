"""Fitting a network."""

import math
import random
import sys
from types import SimpleNamespace

import pytest

from micrograd_lab import (
    MLP,
    SGD,
    Adam,
    AdamW,
    History,
    Neuron,
    Value,
    accuracy,
    binary_cross_entropy,
    cosine,
    cross_entropy,
    fit,
    gate,
    hinge,
    moons,
    squared_error,
    total,
)

XOR = gate("xor")
LINE = ([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])


def weights(model):
    return [p.data for p in model.parameters()]


def line():
    return Neuron(1, activation=None, seed=1)


def test_a_line_is_found():
    model = line()
    history = fit(model, *LINE, epochs=300, optimizer=SGD(model.parameters(), lr=0.2))
    assert weights(model) == pytest.approx([2, 1], abs=1e-4)
    assert len(history.loss) == 300
    assert history.loss[-1] < 1e-8 < history.loss[0]


def test_xor_is_learned():
    model = MLP(2, [4, 1], activation="tanh", seed=1)
    adam = Adam(model.parameters(), lr=0.1)
    fit(model, *XOR, loss=binary_cross_entropy, optimizer=adam, epochs=60)
    assert accuracy(model, *XOR, loss=binary_cross_entropy) == 1


@pytest.mark.parametrize("engine", ["scalar", "auto"])
def test_one_step_is_what_one_would_write_by_hand(engine):
    fitted, by_hand = (MLP(2, [3, 1], seed=2) for _ in range(2))
    fit(fitted, *XOR, epochs=1, optimizer=SGD(fitted.parameters(), lr=0.5), engine=engine)
    loss = total(squared_error(by_hand(x), t) for x, t in zip(*XOR)) / 4
    loss.backward()
    for p in by_hand.parameters():
        p.data -= 0.5 * p.grad
    assert weights(fitted) == pytest.approx(weights(by_hand), rel=1e-14)


def test_a_batch_of_another_size_weighs_by_its_samples():
    model = line()
    history = fit(model, *LINE, epochs=1, batch_size=3, optimizer=SGD(model.parameters(), lr=0))
    losses = [squared_error(line()(x), t).data for x, t in zip(*LINE)]
    assert history.loss == [pytest.approx(sum(losses) / 4)]


@pytest.mark.parametrize("loss", [squared_error, binary_cross_entropy, hinge, cross_entropy])
@pytest.mark.parametrize("make", [SGD, Adam, AdamW])
def test_replaying_learns_what_recording_learns(loss, make):
    inputs, targets = moons(12, seed=1)
    if loss is hinge:
        targets = [2 * t - 1 for t in targets]
    elif loss is cross_entropy:
        targets = [[t, 1 - t] for t in targets]

    def learned(engine):
        model = MLP(2, [3, 2 if loss is cross_entropy else 1], activation="tanh", seed=3)
        optimizer = make(model.parameters(), lr=0.02, weight_decay=0.1)
        data = inputs[:9], targets[:9]
        held = inputs[9:], targets[9:]
        options = {"epochs": 6, "batch_size": 4, "seed": 5, "engine": engine}
        history = fit(model, *data, loss=loss, optimizer=optimizer, validation=held, **options)
        more = fit(model, *data, loss=loss, optimizer=optimizer, epochs=2, engine=engine)
        return [*history.loss, *history.validation, *more.loss, *weights(model)]

    assert learned("auto") == pytest.approx(learned("scalar"), rel=1e-10)


@pytest.mark.parametrize(("engine", "calls"), [("auto", 9 + 99), ("scalar", 400)])
def test_a_loss_is_recorded_a_few_times_to_be_replayed_and_once_an_epoch_to_be_checked(
    engine, calls
):
    called = []

    def loss(y, t):
        called.append(t)
        return squared_error(y, t)

    fit(line(), *LINE, loss=loss, epochs=100, engine=engine)
    assert len(called) == calls


def test_an_if_on_a_number_is_recorded_for_every_sample():
    def loss(y, t):
        return squared_error(y, t) if t.data > 3 else squared_error(y, t) * 4

    def learned(engine):
        model = line()
        fit(model, *LINE, loss=loss, epochs=3, engine=engine)
        return weights(model)

    with pytest.warns(UserWarning, match="fit goes on with engine='scalar'"):
        auto = learned("auto")
    assert auto == learned("scalar")


def test_a_number_that_the_graph_does_not_know_is_recorded_for_every_sample():
    def loss(y, t):
        return (y - t) * (y.data - t.data)  # the second factor is a constant of the graph

    def learned(engine):
        model = line()
        fit(model, *LINE, loss=loss, epochs=3, engine=engine)
        return weights(model)

    with pytest.warns(UserWarning, match="fit goes on with engine='scalar'"):
        auto = learned("auto")
    assert auto == learned("scalar")


def absolute(y, t):
    return (y - t) if y > t else (t - y)


def test_a_comparison_that_picks_the_branch_is_followed():
    inputs, targets = [[0.0], [1.0], [2.0], [3.0]], [10.0, 11.0, 12.0, 13.0]

    def learned(engine):
        model = MLP(1, [1], seed=1)
        sgd = SGD(model.parameters(), lr=0.05)
        history = fit(
            model, inputs, targets, loss=absolute, optimizer=sgd, epochs=400, engine=engine
        )
        return [*history.loss, *(model(x).data for x in inputs)]

    auto = learned("auto")
    assert auto == pytest.approx(learned("scalar"), rel=1e-9)
    assert auto[-5] < 0.2
    assert auto[-4:] == pytest.approx([9.95, 10.93, 11.92, 12.9], abs=0.05)


def test_a_hinge_written_with_max_is_never_negative():
    model = MLP(2, [4, 1], activation="tanh", seed=2)

    def written(y, t):
        return max(Value(0), 1 - (2 * t - 1) * y)

    adam = Adam(model.parameters(), lr=0.1)
    history = fit(model, *XOR, loss=written, optimizer=adam, epochs=60)
    assert min(history.loss) >= 0
    assert history.loss[-1] == 0


def test_weights_of_a_rare_class_that_no_comparison_shows_are_found():
    rare = [1] * 3 + [0] * 57
    inputs = [[1.0 + k / 9] if t else [-1.0 - k / 57] for k, t in enumerate(rare)]

    def weighted(y, t):
        return binary_cross_entropy(y, t) * (20.0 if t.data == 1 else 1.0)

    def learned(engine):
        model = MLP(1, [1], seed=1)
        fit(model, inputs, rare, loss=weighted, epochs=5, engine=engine)
        return weights(model)

    with pytest.warns(UserWarning, match="epoch 0, sample 3: recording gives the loss"):
        auto = learned("auto")
    assert auto == learned("scalar")


def test_a_number_that_a_callback_changes_is_followed():
    class Penalty:
        weight = 1.0

    def loss(y, t):
        return (y - t) ** 2 * Penalty.weight

    def anneal(history):
        Penalty.weight /= 2

    def learned(engine):
        Penalty.weight = 1.0
        model = line()
        fit(model, *LINE, loss=loss, epochs=6, callbacks=[anneal], engine=engine)
        return weights(model)

    with pytest.warns(UserWarning, match="epoch 1, sample 1: recording gives the loss"):
        auto = learned("auto")
    assert auto == pytest.approx(learned("scalar"), rel=1e-12)


def test_an_optimizer_of_another_model_is_refused():
    other = SGD(line().parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"none of the optimizer's 2 parameters are the model's"):
        fit(line(), *LINE, optimizer=other)


def test_a_loss_that_returns_a_number_says_what_to_write():
    with pytest.raises(
        TypeError, match=r"the loss is float .*no Value.*write v.tanh\(\), not math"
    ):
        fit(line(), *LINE, loss=lambda y, t: math.tanh(y))
    with pytest.raises(TypeError, match=r"the loss is float .*, no Value"):
        fit(line(), *LINE, loss=lambda y, t: math.tanh(y), engine="scalar")


def test_a_number_that_was_read_is_no_secret_where_every_sample_is_recorded():
    def loss(y, t):
        return y * math.tanh(y) - t

    with pytest.warns(UserWarning, match="was read as a plain number .* write v.tanh()"):
        fit(line(), *LINE, loss=loss, engine="scalar", epochs=1)


@pytest.mark.parametrize("engine", ["scalar", "auto"])
def test_a_callback_finds_the_parameters_as_they_are_and_may_move_them(engine):
    model = line()
    seen = []

    def set_back(history):
        seen.append(model.w[0].data)
        model.w[0].data = 50.0

    history = fit(model, *LINE, epochs=3, callbacks=[set_back], engine=engine)
    once = line()
    fit(once, *LINE, epochs=1)
    assert seen[0] == pytest.approx(once.w[0].data, rel=1e-14)
    assert model.w[0].data == 50.0
    assert history.loss[1] > history.loss[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_repeats_a_run_bit_for_bit(seed):
    def run(seed):
        model = MLP(2, [4, 1], seed=3)
        history = fit(model, *moons(20, seed=1), epochs=5, batch_size=6, seed=seed)
        return history.loss, weights(model)

    assert run(seed) == run(seed)
    assert run(seed) != run(seed + 1)


def test_several_outputs_are_fitted_with_rows_of_targets():
    model = MLP(2, [4, 2], activation="tanh", seed=1)
    one_hot = [[1 - t, t] for t in XOR.targets]
    adam = Adam(model.parameters(), lr=0.1)
    fit(model, XOR.inputs, one_hot, loss=cross_entropy, optimizer=adam, epochs=60)
    assert accuracy(model, XOR.inputs, one_hot, loss=cross_entropy) == 1


def test_numpy_arrays_are_data_too():
    np = pytest.importorskip("numpy")
    one, other = line(), line()
    fit(one, *LINE, epochs=3)
    fit(other, *map(np.array, LINE), epochs=3)
    assert weights(one) == weights(other)


def test_any_function_of_outputs_and_target_is_a_loss():
    model = line()
    history = fit(model, *LINE, loss=lambda y, t: (y - t) ** 2 / 2, epochs=3)
    assert history.loss == pytest.approx(fit(line(), *LINE, epochs=3).loss)


@pytest.mark.parametrize("engine", ["scalar", "auto"])
def test_an_optimizer_moves_the_parameters_it_was_given_only(engine):
    model = line()
    bias = model.b.data
    fit(model, *LINE, epochs=2, optimizer=SGD(model.w, lr=0.1), engine=engine)
    assert model.b.data == bias
    assert model.w[0].data != line().w[0].data


def test_validation_is_looked_at_and_not_learned():
    one, other = line(), line()
    alone = fit(one, *LINE, epochs=4)
    watched = fit(other, *LINE, epochs=4, validation=([[1.0]], [3.0]))
    assert weights(one) == weights(other)
    assert alone.validation == []
    assert watched.validation[-1] == squared_error(other([1.0]), 3.0).data


def test_patience_stops_and_goes_back_to_the_best_epoch():
    model = line()
    history = fit(model, *LINE, epochs=100, validation=([[0.0]], [-5.0]), patience=3)
    assert history.stopped == "early"
    assert len(history.loss) == history.best + 4
    assert squared_error(model([0.0]), -5.0).data == history.validation[history.best]


def test_patience_without_validation_goes_back_before_the_step_that_went_wrong():
    model = line()
    start = weights(model)
    history = fit(model, *LINE, epochs=9, patience=2, optimizer=SGD(model.parameters(), lr=9))
    assert (history.stopped, history.best, len(history.loss)) == ("early", 0, 3)
    assert weights(model) == start


def test_patience_that_is_not_needed_changes_nothing():
    patient, plain = line(), line()
    fit(patient, *LINE, epochs=5, patience=2)
    fit(plain, *LINE, epochs=5)
    assert weights(patient) == weights(plain)


def test_the_schedule_sets_the_learning_rate():
    assert fit(line(), *LINE, epochs=3, schedule=cosine(0.1, 2)).lr == [0.1, 0.05, 0.0]


def test_a_callback_sees_each_epoch_and_can_stop():
    seen = []

    def watch(history):
        seen.append(len(history.loss))
        return len(seen) == 3

    assert fit(line(), *LINE, epochs=10, callbacks=[watch]).stopped == "callback"
    assert seen == [1, 2, 3]


def test_ctrl_c_keeps_what_was_learned():
    model, whole = line(), line()

    def interrupt(history):
        if len(history.loss) == 4:
            raise KeyboardInterrupt

    history = fit(model, *LINE, epochs=10, callbacks=[interrupt])
    fit(whole, *LINE, epochs=4)
    assert (history.stopped, len(history.loss)) == ("interrupted", 4)
    assert weights(model) == weights(whole)


def test_a_history_says_how_it_went():
    assert repr(fit(line(), *LINE, epochs=0)) == "History(0 epochs)"
    history = History(loss=[2.0, 0.5, 1.0], stopped="early")
    assert repr(history) == "History(3 epochs, loss 2 to 1, stopped: early)"
    assert history.best == 1


def test_a_history_plots_itself_once_there_is_something_to_plot():
    pytest.importorskip("matplotlib")
    assert "<img " in History(loss=[2.0, 0.5])._repr_mimebundle_()["text/html"]
    assert [*History()._repr_mimebundle_()] == ["text/plain"]


@pytest.mark.parametrize("engine", ["scalar", "auto"])
def test_a_number_that_is_not_finite_is_named_with_epoch_sample_and_node(engine):
    inputs = [[1.0], [math.nan]]
    with pytest.raises(ValueError, match="input 1 is nan; leave it out, or put a number there"):
        fit(line(), inputs, [0, 0], engine=engine)
    model = line()
    model.b.data = math.nan
    with pytest.raises(ValueError, match="epoch 0, sample 0: w_0 is nan, and the loss nan; take"):
        fit(model, *LINE, engine=engine)


@pytest.mark.parametrize("engine", ["scalar", "auto"])
def test_a_learning_rate_that_is_too_large_is_found_out(engine):
    model = line()
    with pytest.raises(ValueError, match=r"epoch \d+, sample \d: (e|E) is inf, and the loss inf"):
        fit(model, *LINE, optimizer=SGD(model.parameters(), lr=1e6), engine=engine)


@pytest.mark.parametrize("sizes", [[2, 1], [8, 8, 1]])
def test_a_loss_that_is_finite_neither_recorded_nor_replayed_is_no_difference(sizes, recwarn):
    model = MLP(2, sizes, seed=0)
    sgd = SGD(model.parameters(), lr=1e300)
    with pytest.raises(ValueError, match=r"epoch 1, sample 0: .* is inf, and the loss (inf|nan)"):
        fit(model, *XOR, loss=binary_cross_entropy, epochs=9, optimizer=sgd)
    assert not recwarn


def test_a_target_that_the_loss_refuses_is_named_when_it_is_replayed():
    targets = [1] * 40
    targets[27] = 0
    with pytest.raises(ValueError, match="epoch 0, sample 27: target 0; hinge needs -1 or 1"):
        fit(line(), [[0.1]] * 40, targets, loss=hinge)
    held_out = [[0.1]] * 40, targets
    with pytest.raises(ValueError, match="epoch 0, validation sample 27: target 0; hinge"):
        fit(line(), [[0.1]], [1], loss=hinge, validation=held_out)


def test_a_sample_among_many_that_leaves_a_domain_is_named_when_it_is_replayed():
    model = Neuron(1, activation="log")
    model.w[0].data = 1.0
    inputs = [[1.0 + k] for k in range(100)]
    inputs[33] = [-1.0]
    with pytest.raises(ValueError, match="epoch 0, sample 33: log is undefined at x = Value"):
        fit(model, inputs, [0] * 100, batch_size=7, seed=1)


def test_a_parameter_that_is_not_finite_is_found_out_before_the_end():
    model = line()
    with pytest.raises(ValueError, match=r"epoch 0, last update: w_1 is -?inf; take a smaller"):
        fit(model, [[1e150]], [0], epochs=1, optimizer=SGD(model.parameters(), lr=1e200))


def test_a_validation_sample_is_told_from_one_that_is_learned():
    with pytest.raises(ValueError, match="validation input 1 is inf; leave it out"):
        fit(line(), *LINE, validation=([[1.0], [math.inf]], [1, 1]))


def test_a_number_outside_a_domain_is_named_with_its_sample():
    model = Neuron(1, activation="log")
    model.w[0].data = 1.0
    with pytest.raises(ValueError, match="epoch 0, sample 1: log is undefined at x = Value"):
        fit(model, [[1.0], [-1.0]], [0, 0])


def test_there_is_no_progress_bar_where_nobody_looks(capsys):
    fit(line(), *LINE, epochs=2)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_gets_its_bar_where_it_is_not_tinted(capsys, monkeypatch):
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    fit(line(), *LINE, epochs=2)
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "2/2" in shown.out


def test_a_progress_bar_shows_epochs_and_loss(capsys):
    history = fit(line(), *LINE, epochs=2, progress=True)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert f"loss={history.loss[-1]:.4g}" in shown


@pytest.mark.parametrize(
    ("loss", "score", "targets"),
    [
        (hinge, 0.1, [1, -1]),
        (binary_cross_entropy, 0.1, [1, 0]),
        (squared_error, 0.6, [1, 0]),
        (squared_error, 0.4, [0, 1]),
    ],
)
def test_a_sample_is_right_if_its_target_costs_least(loss, score, targets):
    def model(inputs):
        return Value(score)

    assert accuracy(model, [[0]] * 3, [*targets, targets[0]], loss=loss) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit(line(), [[1]], [1, 2]), "1 inputs but 2 targets"),
        (lambda: fit(line(), [], []), "0 inputs but 0 targets"),
        (lambda: fit(line(), [[1], [1, 2]], [1, 2]), "input 1 has 2 numbers, input 0 has 1"),
        (lambda: fit(line(), [[1, 2]], [1]), "sample 0: 2 inputs to a neuron with 1"),
        (lambda: fit(line(), *LINE, epochs=-1), "epochs is -1"),
        (lambda: fit(line(), *LINE, batch_size=0), "batch_size is 0"),
        (lambda: fit(line(), *LINE, patience=0), "patience is 0"),
        (lambda: fit(line(), *LINE, engine="gpu"), "no engine 'gpu'; there are auto"),
        (lambda: accuracy(line(), [[1]] * 101, range(101)), "101 different targets"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_optimizer_is_no_name():
    with pytest.raises(TypeError, match=r"optimizer must be an SGD, .*, got 'adam'"):
        fit(line(), *LINE, optimizer="adam")


def test_a_network_is_replayed_by_default(monkeypatch):
    monkeypatch.setattr("micrograd_lab.replaying.paths.Paths._backward", None)
    assert len(fit(MLP(2, [3, 1]), [[1, 2], [3, 4]], [1, 2], epochs=3).loss) == 3


class InterruptedSGD(SGD):
    """Gradient descent at whose third step somebody presses Ctrl-C."""

    reads = 0

    @property
    def lr(self):
        self.reads += 1
        if self.reads == 3:
            raise KeyboardInterrupt
        return self._lr

    @lr.setter
    def lr(self, lr):
        self._lr = lr


@pytest.mark.parametrize("patience", [None, 5])
@pytest.mark.parametrize("engine", ["scalar", "auto"])
def test_ctrl_c_between_two_batches_keeps_the_updates_so_far(engine, patience):
    model, whole = line(), line()
    run = {"batch_size": 1, "seed": 1, "engine": engine, "patience": patience}
    history = fit(model, *LINE, optimizer=InterruptedSGD(model.parameters(), lr=0.1), **run)
    order = [0, 1, 2, 3]
    random.Random(1).shuffle(order)
    for i in order[:2]:
        fit(whole, LINE[0][i : i + 1], LINE[1][i : i + 1], epochs=1)
    assert history.stopped == "interrupted"
    assert weights(model) == weights(whole) != weights(line())


def test_a_target_is_named_in_an_error_of_the_loss():
    with pytest.raises(ValueError, match=r"epoch 0, sample 1: log is undefined at x = .*t_1: -5"):
        fit(line(), LINE[0][:2], [2.0, -5.0], loss=lambda y, t: y * t.log())


def test_a_warning_about_the_replay_points_at_the_call_of_fit():
    with pytest.warns(UserWarning, match="engine='scalar'") as warned:
        fit(line(), *LINE, loss=lambda y, t: (y - t) * (y.data - t.data), epochs=1)
    assert warned[0].filename == __file__


def test_a_history_is_plotted_in_the_theme_that_is_asked_for():
    history = fit(line(), *LINE, epochs=3)
    assert history.plot(theme="dark").svg != history.plot().svg


def test_an_input_is_named_in_an_error_of_accuracy():
    with pytest.raises(ValueError, match=r"log is undefined at x = Value\(x_1: -2"):
        accuracy(lambda x: x[0].log(), [[1.0], [-2.0]], [0.0, 1.0])


def test_a_loss_that_stays_the_same_is_no_new_least_loss():
    model = line()
    still = SGD(model.parameters(), lr=0.0)
    history = fit(model, *LINE, optimizer=still, epochs=50, patience=3)
    assert (history.stopped, len(history.loss), history.best) == ("early", 4, 0)


def test_a_model_of_several_parts_without_parameters_says_what_to_write():
    class Pair:
        def __init__(self):
            self.first, self.second = line(), line()

        def __call__(self, x):
            return self.first(x) + self.second(x)

    message = (
        r"^Pair has no .*: return self\.first\.parameters\(\) \+ self\.second\.parameters\(\)$"
    )
    with pytest.raises(TypeError, match=message):
        fit(Pair(), *LINE)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"loss": "hinge"}, "loss is 'hinge'; give a function"),
        ({"epochs": 1.5}, "epochs is 1.5; give a whole number"),
        ({"batch_size": 2.5}, "batch_size is 2.5; give a whole number"),
        ({"loss": lambda y, t: 0}, r"maximum\(0, v\), not max\(0, v\)"),
    ],
)
def test_what_fit_cannot_use_is_named(given, told):
    with pytest.raises(TypeError, match=told):
        fit(MLP(1, [1]), [[1.0]], [1.0], **({"epochs": 1} | given))
