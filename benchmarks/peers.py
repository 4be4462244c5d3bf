"""A training step by micrograd, PyTorch, JAX and CasADi, float64 on the CPU."""

# mypy: disable-error-code="operator,arg-type,no-untyped-call,call-arg,import-untyped"

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ours import chain_of_values
from workloads import CHAIN, RATE, Chain, Network, Step, chained


def micrograd(net: Network) -> Step | None:
    """karpathy/micrograd; it has no exp, so only what needs none, and a sigmoid written as its
    relu is."""
    if net.loss == "cross_entropy":
        return None
    import micrograd.nn
    from micrograd.engine import Value

    def sigmoid(a: Any) -> Any:
        s = 1 / (1 + math.exp(-a.data))
        out = Value(s, (a,), "sigmoid")

        def backward() -> None:
            a.grad += s * (1 - s) * out.grad

        out._backward = backward
        return out

    model = micrograd.nn.MLP(net.sizes[0], net.sizes[1:])
    if net.activation == "sigmoid":
        for neuron in [neuron for layer in model.layers for neuron in layer.neurons]:
            neuron.nonlin = False
    parameters = model.parameters()
    for parameter, number in zip(parameters, net.p.tolist()):
        parameter.data = number
    samples = [*zip(net.x.tolist(), net.t.tolist())]

    def output(x: Any) -> Any:
        if net.activation != "sigmoid":
            return model(x)
        for layer in model.layers:
            x = [sigmoid(neuron(x)) for neuron in layer.neurons]
        return x

    def step() -> tuple[float, Any]:
        if net.loss == "hinge":
            losses = [(1 + -t[0] * output(x)).relu() for x, t in samples]
        else:
            losses = [
                sum(((y - t) ** 2 for y, t in zip(output(x), targets)), Value(0)) * 0.5
                for x, targets in samples
            ]
        loss = sum(losses, Value(0)) * (1 / len(samples))
        if net.penalty:
            loss = loss + net.penalty * sum((p * p for p in parameters), Value(0))
        for parameter in parameters:
            parameter.grad = 0
        loss.backward()
        for parameter in parameters:
            parameter.data -= RATE * parameter.grad
        return loss.data, [parameter.grad for parameter in parameters]

    return step


def torch(net: Network, compiled: bool = False) -> Step:
    """PyTorch, eager or compiled, float64 on the CPU."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    x, t = torch.tensor(net.x), torch.tensor(net.t)
    weights = [torch.tensor(w[:, :-1]).requires_grad_() for w in net.layers(net.p)]
    biases = [torch.tensor(w[:, -1]).requires_grad_() for w in net.layers(net.p)]
    parameters = [p for pair in zip(weights, biases) for p in pair]
    activation = torch.sigmoid if net.activation == "sigmoid" else torch.relu

    def loss_of() -> Any:
        y = x
        for k, (w, b) in enumerate(zip(weights, biases), start=1):
            y = functional.linear(y, w, b)
            if k < len(weights) or net.activation == "sigmoid":
                y = activation(y)
        if net.loss == "hinge":
            loss = torch.relu(1 - t * y).sum(1).mean()
        elif net.loss == "cross_entropy":
            loss = functional.cross_entropy(y, t)
        else:
            loss = ((y - t) ** 2).sum(1).mean() / 2
        if net.penalty:
            loss = loss + net.penalty * sum((p * p).sum() for p in parameters)
        return loss

    run = torch.compile(loss_of) if compiled else loss_of

    def step() -> tuple[float, Any]:
        for p in parameters:
            p.grad = None
        loss = run()
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= RATE * p.grad
        return loss.item(), Joined(weights, biases)

    return step


@dataclass
class Joined:
    """Gradients of weights and biases, put side by side when somebody looks."""

    weights: list[Any]
    biases: list[Any]

    def __iter__(self) -> Iterator[float]:
        for w, b in zip(self.weights, self.biases):
            slopes = (getattr(w, "grad", w), getattr(b, "grad", b))
            for row, last in zip(*(s.tolist() for s in slopes)):
                yield from row
                yield last


def torch_compile(net: Network) -> Step:
    return torch(net, compiled=True)


def jax(net: Network) -> Step:
    """JAX: the step, update included, under one `jit`."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, t = jnp.asarray(net.x), jnp.asarray(net.t)
    weights = [(jnp.asarray(w[:, :-1]), jnp.asarray(w[:, -1])) for w in net.layers(net.p)]

    def loss_of(weights: Any, x: Any, t: Any) -> Any:
        y = x
        for k, (w, b) in enumerate(weights, start=1):
            y = y @ w.T + b
            if net.activation == "sigmoid":
                y = jax.nn.sigmoid(y)
            elif k < len(weights):
                y = jax.nn.relu(y)
        if net.loss == "hinge":
            loss = jax.nn.relu(1 - t * y).sum(1).mean()
        elif net.loss == "cross_entropy":
            loss = -(t * jax.nn.log_softmax(y)).sum(1).mean()
        else:
            loss = ((y - t) ** 2).sum(1).mean() / 2
        if net.penalty:
            loss += net.penalty * sum((p * p).sum() for pair in weights for p in pair)
        return loss

    def updated(weights: Any, x: Any, t: Any) -> Any:
        loss, slopes = jax.value_and_grad(loss_of)(weights, x, t)
        return loss, slopes, jax.tree.map(lambda p, g: p - RATE * g, weights, slopes)

    update = jax.jit(updated)

    def step() -> tuple[float, Any]:
        nonlocal weights
        loss, slopes, weights = update(weights, x, t)
        return float(loss), Joined(*zip(*jax.block_until_ready(slopes)))

    return step


def casadi(net: Network) -> Step | None:
    """CasADi's scalar graph, SX, of the whole batch."""
    if len(net.x) * len(net.p) > 200_000:
        return None  # millions of nodes
    import casadi

    p = casadi.SX.sym("p", len(net.p))
    x, t = casadi.SX.sym("x", *net.x.shape), casadi.SX.sym("t", *net.t.shape)
    y, start = x, 0
    for k, (inputs, neurons) in enumerate(zip(net.sizes, net.sizes[1:]), start=1):
        stop = start + neurons * (inputs + 1)
        w = casadi.reshape(p[start:stop], inputs + 1, neurons)
        y = casadi.mtimes(y, w[:-1, :]) + casadi.repmat(w[-1, :], len(net.x), 1)
        if net.activation == "sigmoid":
            y = 1 / (1 + casadi.exp(-y))
        elif k < len(net.sizes) - 1:
            y = casadi.fmax(y, 0)
        start = stop
    if net.loss == "hinge":
        loss = casadi.sum1(casadi.fmax(1 - t * y, 0))
    elif net.loss == "cross_entropy":
        loss = casadi.sum1(casadi.log(casadi.sum2(casadi.exp(y))) - casadi.sum2(t * y))
    else:
        loss = casadi.sum1(casadi.sum2((y - t) ** 2)) / 2
    loss /= len(net.x)
    if net.penalty:
        loss += net.penalty * casadi.sumsqr(p)
    function = casadi.Function("step", [p, x, t], [loss, casadi.gradient(loss, p)])
    return _casadi_step(function, net.p.copy(), net.x.ravel(order="F"), net.t.ravel(order="F"))


def _casadi_step(function: Any, p: Any, *data: Any) -> Step:
    """A step of a function from parameters and data to a loss and a gradient."""
    import numpy as np

    loss, gradient = np.zeros(1), np.zeros(len(p))
    buffer, run = function.buffer()
    for k, array in enumerate([p, *data]):
        buffer.set_arg(k, memoryview(array))
    for k, array in enumerate([loss, gradient]):
        buffer.set_res(k, memoryview(array))
    kept = function, buffer, data  # which `run` uses, but does not own

    def step() -> tuple[float, Any]:
        assert kept
        run()
        p[:] -= RATE * gradient
        return float(loss[0]), gradient

    return step


def micrograd_chain(chain: Chain) -> Step:
    from micrograd.engine import Value

    def backward(end: Any) -> None:
        _in_a_deep_stack(end.backward)

    return chain_of_values(chain, Value, backward)


def _in_a_deep_stack(function: Callable[[], object]) -> None:
    """Run what recurses once per operation."""
    limit, size = sys.getrecursionlimit(), threading.stack_size(512 * 1024 * 1024)
    sys.setrecursionlimit(10 * CHAIN)
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
    sys.setrecursionlimit(limit)
    threading.stack_size(size)


def torch_chain(chain: Chain) -> Step:
    import torch

    torch.set_num_threads(1)
    a, b, x = (torch.tensor(n, dtype=torch.float64) for n in (chain.a, chain.b, chain.x))
    a.requires_grad_()
    b.requires_grad_()

    def step() -> tuple[float, Any]:
        a.grad = b.grad = None
        end = chained(x, a, b)
        end.backward()
        slopes = [float(a.grad), float(b.grad)]
        with torch.no_grad():
            a.sub_(RATE * a.grad)
            b.sub_(RATE * b.grad)
        return end.item(), slopes

    return step


def casadi_chain(chain: Chain) -> Step:
    import casadi
    import numpy as np

    p, x = casadi.SX.sym("p", 2), casadi.SX.sym("x")
    end = chained(x, p[0], p[1])
    function = casadi.Function("step", [p, x], [end, casadi.gradient(end, p)])
    return _casadi_step(function, np.array([chain.a, chain.b]), np.array([chain.x]))
