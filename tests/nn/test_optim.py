"""The optimisers against torch.optim."""

import copy
import math
import pickle

import numpy as np
import pytest

from micrograd_lab import SGD, Adam, AdamW, Value, cosine, replay, step_decay
from micrograd_lab.nn import optim
from micrograd_lab.replaying.tape import kernel

START = [1.5, -0.7, 0.2, 3.0]


def descent(make, steps=100):
    """100 steps on a bumpy function of four parameters, its gradients given by a formula."""
    parameters = [Value(x) for x in START]
    optimizer = make(parameters)
    for k in range(steps):
        for i, p in enumerate(parameters):
            p.grad = slope(i, p.data, k)
        optimizer.step()
    return [p.data for p in parameters]


def descent_by_torch(torch, make, steps=100):
    parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    optimizer = make(parameters)
    for k in range(steps):
        for i, p in enumerate(parameters):
            p.grad = torch.tensor(slope(i, p.item(), k), dtype=torch.float64)
        optimizer.step()
    return [p.item() for p in parameters]


def slope(i, x, k):
    return math.sin(3 * x + i) + 0.4 * x + 0.1 * math.cos(k)


@pytest.mark.parametrize(
    ("ours", "name", "options"),
    [
        (SGD, "SGD", {"lr": 0.05}),
        (SGD, "SGD", {"lr": 0.05, "weight_decay": 0.02}),
        (SGD, "SGD", {"lr": 0.03, "momentum": 0.9}),
        (SGD, "SGD", {"lr": 0.03, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        (Adam, "Adam", {}),
        (Adam, "Adam", {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
        (AdamW, "AdamW", {}),
        (AdamW, "AdamW", {"lr": 0.05, "weight_decay": 0.2}),
    ],
    ids=str,
)
def test_a_hundred_steps_end_where_torch_ends(ours, name, options):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.optim, name)
    assert descent(lambda p: ours(p, **options)) == pytest.approx(
        descent_by_torch(torch, lambda p: theirs(p, **options)), rel=1e-12
    )


@pytest.mark.parametrize(
    ("schedule", "name", "options"),
    [
        (step_decay(0.5, every=7, factor=0.3), "StepLR", {"step_size": 7, "gamma": 0.3}),
        (cosine(0.5, epochs=100, end=0.1), "CosineAnnealingLR", {"T_max": 100, "eta_min": 0.1}),
    ],
    ids=["step", "cosine"],
)
def test_a_schedule_gives_the_rates_of_torch(schedule, name, options):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    for epoch in range(100):
        assert schedule(epoch) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        theirs.step()


def test_the_lectures_update_goes_down_the_slope():
    w = Value(0.4, "w_{1,1}^{(2)}")
    w.grad = 0.068601951923692407
    SGD([w], lr=0.5).step()
    assert w.data == pytest.approx(0.36569902403815380)


def test_numbers_stay_plain_floats():
    w = Value(1)
    Adam([w]).step()
    assert type(w.data) is float


def test_zero_grad_forgets_the_gradients():
    w = Value(3)
    (w * w).backward()
    SGD([w]).zero_grad()
    assert w.grad == 0


def test_the_rate_can_be_set_before_each_step():
    w = Value(1.0)
    optimizer = SGD([w], lr=0.5)
    w.grad = 1.0
    optimizer.lr = 0.25
    optimizer.step()
    assert w.data == 0.75


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD([]), r"0 parameters to move; .* lists them: def parameters\(self\): return"),
        (lambda p: SGD(p, lr=-1), r"^lr is -1; it needs to be at least 0$"),
        (lambda p: SGD(p, lr=math.nan), "lr is nan"),
        (lambda p: SGD(p, momentum=1), "momentum is 1; it needs to be at least 0 and below 1"),
        (lambda p: SGD(p, nesterov=True), "by the momentum, which is 0"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), "betas is 1; it needs"),
        (lambda p: AdamW(p, weight_decay=-0.1), r"weight_decay is -0\.1"),
        (lambda p: step_decay(0.1, every=0), "every is 0; it needs to be at least 1"),
        (lambda p: cosine(0.1, epochs=0), "epochs is 0; it needs to be at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make([Value(1)])


def test_only_values_can_be_moved():
    with pytest.raises(TypeError, match=r"a parameter must be a Value, got float 1\.0"):
        SGD([1.0])


def test_the_rates_to_start_with_are_those_of_the_lecture_and_of_torch():
    assert [make([Value(1)]).lr for make in (SGD, Adam, AdamW)] == [0.1, 0.001, 0.001]


def test_a_schedule_of_one_epoch_is_a_schedule():
    assert [cosine(0.5, epochs=1)(epoch) for epoch in (0, 1)] == [0.5, 0.0]
    assert [step_decay(0.5, every=1, factor=0.5)(epoch) for epoch in (0, 1)] == [0.5, 0.25]


@pytest.mark.parametrize("make", [SGD, Adam, AdamW])
def test_a_step_of_a_program_moves_its_vector_as_the_values(make):
    w, v, x = Value(2.0, "w"), Value(-1.0, "v"), Value(0.0, "x")
    program = replay((w * x + v * v).half_square(), [x], [w, v])
    plain, moving = make([v, w], lr=0.1), make([v, w], lr=0.1)
    program.load()
    for _ in range(3):
        program.run([[1.5], [2.0]])
        moving.step(program)
    expected = program.vector.tolist()
    for _ in range(3):
        program([[1.5], [2.0]])
        plain.step()
    assert expected == [w.data, v.data]


def test_a_step_of_a_program_without_the_parameter_is_refused():
    w, u = Value(2.0, "w"), Value(1.0, "u")
    program = replay(w * w, [], [w])
    with pytest.raises(ValueError, match=r"Value\(u: 1, grad=0\) is no parameter of the program"):
        SGD([u]).step(program)


def test_the_state_before_a_step_of_adam_is_whole_until_the_next_one():
    w = Value(1.0)
    w.grad = 0.5
    adam = Adam([w], lr=0.1)
    adam.step()
    before = adam.state
    kept = [x[0] for x in (*before.moments, before.numbers)]
    adam.after(before.numbers, np.array([3.0]))
    assert [x[0] for x in (*before.moments, before.numbers)] == kept


@pytest.mark.parametrize("level", range(5))
def test_adam_moves_as_torch_does_on_every_processor_and_without_a_kernel(level, monkeypatch):
    torch = pytest.importorskip("torch")
    library = kernel.load() and kernel.library()
    if level and not (library and level <= library.level() and hasattr(library, f"run_{level}")):
        return  # compiled for other processors, or not at all
    step = library[f"run_{level}_adam"] if level else None
    monkeypatch.setattr(optim, "load", lambda end: step)
    options = {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3}
    assert descent(lambda p: Adam(p, **options)) == pytest.approx(
        descent_by_torch(torch, lambda p: torch.optim.Adam(p, **options)), rel=1e-12
    )


@pytest.mark.parametrize("kept", [copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))])
def test_adam_goes_on_from_a_copy_of_a_state(kept):
    w = Value(1.0)
    adam = Adam([w], lr=0.1)
    ends = []
    for _ in range(3):
        w.grad = 2.0
        adam.step()
    state, start = kept(adam.state), w.data
    for _ in range(2):
        adam.state, w.data = kept(state), start
        for _ in range(3):
            w.grad = -5.0
            adam.step()
        ends.append(w.data)
    assert ends[0] == ends[1]


def test_adam_starts_anew_from_a_new_state():
    w = Value(1.0)
    adam = Adam([w], lr=0.1)
    for w.grad in (5.0, 7.0, 9.0):
        adam.step()
    adam.state, w.data, w.grad = optim.State(), 1.0, -3.0
    adam.step()
    assert w.data == pytest.approx(1.1)


@pytest.mark.parametrize("make", [SGD, Adam, AdamW])
def test_another_number_of_parameters_after_a_step_is_refused(make):
    optimizer = make([Value(1.0)])
    optimizer.step()
    optimizer.parameters += [Value(2.0)] * 5
    with pytest.raises(ValueError, match="6 parameters, where the last step moved 1; make a new"):
        optimizer.step()


def test_an_earlier_state_of_adam_can_be_gone_back_to():
    adam = Adam([Value(1.0), Value(2.0)], lr=0.1)
    adam.parameters[0].grad = 0.5
    adam.step()
    early = adam.state
    after = adam.after(early.numbers, np.ones(2))
    for _ in range(3):
        adam.step()
    adam.state = early
    again = adam.after(early.numbers, np.ones(2))
    assert again.numbers.tolist() == after.numbers.tolist()


def test_an_optimizer_says_its_learning_rate_and_its_steps():
    optimizer = SGD([Value(2, "w")], lr=0.5, momentum=0.9)
    optimizer.step()
    assert repr(optimizer) == "SGD(1 parameters, lr=0.5, momentum=0.9) after 1 steps"
