"""Ctrl-C at every line of a step: parameters, optimizer and history move together or not at all."""

import sys

import numpy as np
import pytest

from micrograd_lab import SGD, Adam, AdamW, Neuron
from micrograd_lab.nn import optim, training

FILES = {module.__file__ for module in (optim, training)}
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
