"""A training step by hand, by the engine, and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workloads import CHAIN, RATE, Chain, Network, Step, chained


def by_hand(net: Network) -> Step:
    """Backpropagation as one writes it for a network of this kind."""
    import numpy as np

    p, g = net.p.copy(), np.zeros_like(net.p)
    weights, slopes = net.layers(p), net.layers(g)
    sigmoid, count = net.activation == "sigmoid", len(net.x)

    def step() -> tuple[float, Any]:
        hidden = [net.x]
        for k, w in enumerate(weights, start=1):
            a = hidden[-1] @ w[:, :-1].T
            a += w[:, -1]
            if sigmoid:
                np.negative(a, out=a)
                np.exp(a, out=a)
                a += 1
                np.divide(1, a, out=a)
            elif k < len(weights):
                np.maximum(a, 0, out=a)
            hidden.append(a)
        y = hidden[-1]
        if net.loss == "hinge":
            margin = 1 - net.t * y
            loss = np.maximum(margin, 0).sum() / count
            u = (margin > 0) * (net.t * (-1 / count))
        elif net.loss == "cross_entropy":
            y -= y.max(axis=1, keepdims=True)
            loss = -(y * net.t).sum() / count
            u = np.exp(y)
            total = u.sum(axis=1, keepdims=True)
            loss += np.log(total).sum() / count
            u /= total
            u -= net.t
            u /= count
        else:
            e = y - net.t
            loss = (e * e).sum() / 2 / count
            u = e * y * (1 - y) / count
        for k in range(len(weights) - 1, -1, -1):
            z = hidden[k]
            np.matmul(u.T, z, out=slopes[k][:, :-1])
            u.sum(axis=0, out=slopes[k][:, -1])
            if k:
                u = u @ weights[k][:, :-1]
                u *= z * (1 - z) if sigmoid else z > 0
        if net.penalty:
            loss += net.penalty * (p @ p)
            g[:] += 2 * net.penalty * p
        p[:] -= RATE * g
        return loss, g

    return step


def recorded(net: Network) -> tuple[Any, Callable[..., Any]]:
    """A model with the network's parameters, and what records the loss of one sample."""
    from micrograd_lab import MLP, total
    from micrograd_lab.nn import losses

    outputs = net.activation if net.activation == "sigmoid" else None
    activations = [net.activation] * (len(net.sizes) - 2) + [outputs]
    model = MLP(net.sizes[0], net.sizes[1:], activation=activations)
    parameters = model.parameters()
    for parameter, number in zip(parameters, net.p.tolist()):
        parameter.data = number

    def loss(x: Any, t: Any) -> Any:
        error = getattr(losses, net.loss)(model(x), t[0] if len(t) == 1 else t)
        return error + net.penalty * total(p * p for p in parameters) if net.penalty else error

    return parameters, loss


def define_by_run(net: Network) -> Step:
    """The engine: every step records its graph."""
    parameters, loss_of = recorded(net)
    samples = [*zip(net.x.tolist(), net.t.tolist())]

    def step() -> tuple[float, Any]:
        loss, count = 0.0, len(samples)
        for parameter in parameters:
            parameter.grad = 0.0
        for x, t in samples:
            each = loss_of(x, t)
            each.backward()
            loss += each.data / count
        gradient = [parameter.grad / count for parameter in parameters]
        for parameter, slope in zip(parameters, gradient):
            parameter.data -= RATE * slope
        return loss, gradient

    return step


def replayed(backend: str) -> Callable[[Network], Step]:
    """The graph of one sample, replayed for all."""

    def way(net: Network) -> Step:
        import numpy as np

        from micrograd_lab import Value

        parameters, loss_of = recorded(net)
        x = [Value(number, f"x_{k}") for k, number in enumerate(net.x[0], start=1)]
        t = [Value(number, f"t_{k}") for k, number in enumerate(net.t[0], start=1)]
        loss = loss_of(x, t)
        return _program(loss, [*x, *t], parameters, backend, np.hstack([net.x, net.t]))

    return way


def _program(loss: Any, inputs: Any, parameters: Any, backend: str, data: Any) -> Step:
    import numpy as np

    from micrograd_lab import replay

    program = replay(loss, inputs, parameters, backend=backend)
    program.load()
    place = {parameter: k for k, parameter in enumerate(program.values)}
    order = [place[parameter] for parameter in parameters]

    vector, gradient = program.vector, program.gradient
    ordered = Ordered(gradient, order)

    def step() -> tuple[float, Any]:
        loss = program.run(data)
        if backend == "python":  # lists
            vector[:] = [number - RATE * slope for number, slope in zip(vector, gradient)]
        else:
            np.subtract(vector, RATE * gradient, out=vector)
        return loss, ordered

    return step


@dataclass
class Ordered:
    """A gradient that is put into order when somebody looks."""

    gradient: Any
    order: list[int]

    def __iter__(self) -> Iterator[float]:
        return (float(self.gradient[k]) for k in self.order)


def chain_by_hand(chain: Chain) -> Step:
    p = [chain.a, chain.b]

    def step() -> tuple[float, Any]:
        a, b = p
        x, kept = chain.x, []
        for _ in range(CHAIN // 2):
            kept.append(x)
            x = x * a + b
        u, da, db = 1.0, 0.0, 0.0
        for before in reversed(kept):
            db += u
            da += before * u
            u *= a
        p[0] -= RATE * da
        p[1] -= RATE * db
        return x, [da, db]

    return step


def define_by_run_chain(chain: Chain) -> Step:
    from micrograd_lab import Value

    return chain_of_values(chain, Value, Value.backward)


def chain_of_values(chain: Chain, value: Any, backward: Callable[[Any], None]) -> Step:
    """The chain recorded at every step, with values that have `data` and `grad`."""
    a, b = value(chain.a), value(chain.b)

    def step() -> tuple[float, Any]:
        a.grad = b.grad = 0.0
        end = chained(value(chain.x), a, b)
        backward(end)
        slopes = [a.grad, b.grad]
        a.data -= RATE * a.grad
        b.data -= RATE * b.grad
        return end.data, slopes

    return step


def replayed_chain(backend: str) -> Callable[[Chain], Step]:
    def way(chain: Chain) -> Step:
        import numpy as np

        from micrograd_lab import Value

        x, a, b = Value(chain.x, "x"), Value(chain.a, "a"), Value(chain.b, "b")
        return _program(chained(x, a, b), [x], [a, b], backend, np.array([[chain.x]]))

    return way
