"""Ctrl-C at every line of a step: parameters, optimizer and history move together or not at all."""

import contextlib
import sys

import numpy as np
import pytest

from micrograd_lab import SGD, Adam, AdamW, Neuron, Value, fit, replay
from micrograd_lab.nn import arithmetic, optim, training

DATA = ([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])
FILES = {module.__file__ for module in (arithmetic, optim, training)}
MAKE = {
    "SGD": lambda p: SGD(p, lr=0.05),
    "momentum": lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: Adam(p, lr=0.1),
    "AdamW": lambda p: AdamW(p, lr=0.1),
}


class AtLine:
    """Raises KeyboardInterrupt at one line, counted over all lines that run in `FILES`."""

    def __init__(self, number):
        self.number, self.lines, self.where = number, 0, ""

    def trace(self, frame, event, argument):
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            if self.lines == self.number:
                self.lines += 1
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
            self.lines += 1
        return self.trace

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)


def weights(model):
    return [p.data for p in model.parameters()]


def numbers(optimizer):
    return [np.array(moment).tolist() for moment in optimizer.state.moments]


def state(model, optimizer):
    return weights(model), optimizer.steps, numbers(optimizer)


@pytest.mark.parametrize("name", MAKE)
def test_a_step_by_hand_is_taken_in_full_or_not_at_all(name):
    def made():
        model = Neuron(2, activation=None, seed=1)
        optimizer = MAKE[name](model.parameters())
        for p in model.parameters():
            p.grad = 0.5
        optimizer.step()
        return model, optimizer

    model, optimizer = made()
    before = state(model, optimizer)
    with AtLine(-1) as whole:
        optimizer.step()
    after = state(model, optimizer)
    assert whole.lines > 10
    seen = []
    for number in range(whole.lines):
        model, optimizer = made()
        with pytest.raises(KeyboardInterrupt), AtLine(number) as at:
            optimizer.step()
        assert state(model, optimizer) in (before, after), at.where
        seen.append(state(model, optimizer) == after)
    assert seen == sorted(seen)
    assert len(set(seen)) == 2


@pytest.mark.parametrize("options", [{}, {"patience": 1, "validation": ([[9.0]], [-9.0])}], ids=str)
@pytest.mark.parametrize("engine", ["auto", "scalar"])
@pytest.mark.parametrize("name", ["momentum", "Adam"])
def test_a_fit_stops_after_a_whole_batch_at_whatever_line_ctrl_c_falls(name, engine, options):
    def fitted(number):
        """A short fit that is interrupted at a line; the whole states it went through."""
        model = Neuron(1, activation=None, seed=1)
        optimizer = MAKE[name](model.parameters())
        states = [(weights(model), 0, numbers(optimizer))]
        history, after = None, optimizer.after

        def watched(data, grad):
            state = after(data, grad)
            moments = [np.array(moment).tolist() for moment in state.moments]
            states.append((state.numbers.tolist(), state.steps, moments))
            return state

        optimizer.after = watched
        run = {"optimizer": optimizer, "engine": engine, "seed": 1, "batch_size": 2, "epochs": 2}
        # it escapes before the first epoch and after the last
        with contextlib.suppress(KeyboardInterrupt), AtLine(number) as at:
            history = fit(model, *DATA, **run, **options)
        return model, optimizer, states, history, at

    *_, states, whole, lines = fitted(-1)
    assert len(states) == 5
    for number in range(lines.lines):
        model, optimizer, _, history, at = fitted(number)
        params, steps, moments = weights(model), optimizer.steps, numbers(optimizer)
        assert (steps, moments) == states[steps][1:], at.where
        if history is None:
            assert params in (states[0][0], weights(fitted(-1)[0])), at.where
            continue
        epochs = len(history.loss)
        assert history.loss == whole.loss[:epochs], at.where
        assert history.validation == whole.validation[:epochs], at.where
        assert len(history.lr) == epochs, at.where
        assert 2 * epochs <= steps <= 2 * epochs + 2, at.where
        best = 2 * history.best + 2 if options and epochs > 1 else steps
        assert params in (states[steps][0], states[best][0]), at.where


@pytest.mark.parametrize("name", MAKE)
def test_a_step_of_a_program_is_taken_in_full_or_not_at_all(name):
    def made():
        w, v, x = Value(2.0, "w"), Value(-1.0, "v"), Value(0.0, "x")
        program = replay((w * x + v).half_square(), [x], [v, w])
        optimizer = MAKE[name]([w, v])
        program.run([[1.5]])
        optimizer.step(program)
        program.run([[0.5]])
        return program, optimizer

    program, optimizer = made()
    before = program.vector.tolist(), optimizer.steps, numbers(optimizer)
    with AtLine(-1) as every:
        optimizer.step(program)
    after = program.vector.tolist(), optimizer.steps, numbers(optimizer)
    assert every.lines > 5
    for number in range(every.lines):
        program, optimizer = made()
        with AtLine(number) as at, contextlib.suppress(KeyboardInterrupt):
            optimizer.step(program)
        found = program.vector.tolist(), optimizer.steps, numbers(optimizer)
        assert found in (before, after), at.where
