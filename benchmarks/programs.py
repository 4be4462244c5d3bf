"""How fast programs are that were recorded as scalars, beside PyTorch and JAX.

    pip install . torch jax scikit-learn
    python benchmarks/programs.py
    python benchmarks/programs.py --only GPT --rounds 5
    python benchmarks/programs.py -o benchmarks/programs.json

What no layer of a library computes as it stands: sequences, a convolution, a derivative in the
loss, branches.  All ways get the same numbers, must return the same loss and gradient to 1e-10, and
take turns, as in ``replay.py``.
"""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import measured
from models import WAYS, Model, recorded
from replay import in_turns, on_one_thread, parsed, tell, versions
from sequences import GPT, rnn
from workloads import duration

SIDE, CHANNELS, CLASSES = 8, 8, 10
NEURONS, POINTS = 16, 128
INPUTS, SAMPLES = 8, 256


def main(arguments: list[str]) -> None:
    """Print the tables, with one thread."""
    options = parsed(arguments, __doc__)
    on_one_thread(__file__, arguments)
    packages = versions("numpy", "torch", "jax")
    print(packages)
    chosen = {title: make for title, make in models().items() if options.only in title}
    print(starting(chosen), flush=True)
    told = {}
    for title, make in chosen.items():
        model = make()
        steps = {way: step(model) for way, (package, step) in WAYS.items() if find_spec(package)}
        told[title] = tell(title, in_turns(steps, options.rounds), "tape")
    if options.output:
        measured.save(options.output, packages, "tape", told)


def models() -> dict[str, Callable[[], Model]]:
    """What is computed, by what it is."""
    made: dict[str, Callable[[int], Model]] = {
        "GPT, 1 layer, 8 letters": GPT(layers=1, letters=8, width=16).model,
        "GPT, 2 layers, 32 letters, 103,808 parameters": GPT(2, 32, 64).model,
        "RNN, 32 neurons, 20 steps": rnn,
        "3 × 3 convolution, digits": convolution,
    }
    batches = {title: (1, 32, 256) if "digits" in title else (1, 32) for title in made}
    return {
        f"{title}, batch {batch}": partial(make, batch)
        for title, make in made.items()
        for batch in batches[title]
    } | {
        f"y'' = -y, 1-16-16-1, {POINTS} points": equation,
        f"Huber loss with if, 8-16-1, {SAMPLES} samples": huber,
        f"Kepler's equation with while, {SAMPLES} samples": orbit,
    }


def convolution(batch: int) -> Model:
    """A layer of 3 × 3 patches, ReLU, a layer, cross entropy."""
    import numpy as np
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images, labels = images[:batch] / 16, labels[:batch]
    places = (SIDE - 2) ** 2
    shapes = {
        "patch": (CHANNELS, 9), "bias": (CHANNELS, 1),
        "end": (CLASSES, CHANNELS * places), "end bias": (CLASSES, 1),
    }  # fmt: skip
    rows = np.hstack([images, np.eye(CLASSES)[labels]])
    arrays = images.reshape(-1, 1, SIDE, SIDE), labels
    return Model(
        shapes, rows, arrays, convolution_of_values, convolution_of_torch, convolution_of_jax
    )


def convolution_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    from micrograd_lab import cross_entropy, dot

    image = [row[SIDE * k : SIDE * k + SIDE] for k in range(SIDE)]
    hidden = [
        dot(weights, [*image[i][j:j+3], *image[i+1][j:j+3], *image[i+2][j:j+3]], bias).relu()
        for weights, (bias,) in zip(m["patch"], m["bias"])
        for i in range(SIDE - 2)
        for j in range(SIDE - 2)
    ]  # fmt: skip
    scores = [dot(weights, hidden, bias) for weights, (bias,) in zip(m["end"], m["end bias"])]
    return cross_entropy(scores, row[SIDE * SIDE :])


def convolution_of_torch(m: dict[str, Any], images: Any, labels: Any) -> Any:
    from torch.nn.functional import conv2d, cross_entropy, linear

    hidden = conv2d(images, m["patch"].view(CHANNELS, 1, 3, 3), m["bias"][:, 0]).relu()
    return cross_entropy(linear(hidden.flatten(1), m["end"], m["end bias"][:, 0]), labels)


def convolution_of_jax(m: dict[str, Any], images: Any, labels: Any) -> Any:
    import jax
    import jax.numpy as jnp

    patches = m["patch"].reshape(CHANNELS, 1, 3, 3)
    hidden = jax.lax.conv(images, patches, (1, 1), "VALID") + m["bias"][:, :, None]
    scores = jax.nn.relu(hidden).reshape(len(images), -1) @ m["end"].T + m["end bias"].T
    return -jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1).mean()


def equation() -> Model:
    """A network whose y = x + x² N(x) is to satisfy y'' = -y: begins at 0 with a slope of 1."""
    import numpy as np

    shapes = {
        "first": (NEURONS, 1), "first bias": (NEURONS, 1),
        "second": (NEURONS, NEURONS), "second bias": (NEURONS, 1), "end": (1, NEURONS),
    }  # fmt: skip
    rows = np.linspace(0, 6, POINTS)[:, None]
    return Model(
        shapes, rows, (rows,), equation_of_values, equation_of_torch, equation_of_jax,
        of_compiled=equation_of_compiled,
    )  # fmt: skip


def equation_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    from micrograd_lab import dot, gradients

    (x,) = row
    hidden = [(w * x + b).tanh() for (w,), (b,) in zip(m["first"], m["first bias"])]
    hidden = [dot(w, hidden, b).tanh() for w, (b,) in zip(m["second"], m["second bias"])]
    y = x + x * x * dot(m["end"][0], hidden)
    (slope,) = gradients(y, [x])
    (curvature,) = gradients(slope, [x])
    return (curvature + y).half_square()


def solution(m: dict[str, Any], x: Any, tanh: Callable[[Any], Any]) -> Any:
    hidden = tanh(x * m["first"].T + m["first bias"].T)
    hidden = tanh(hidden @ m["second"].T + m["second bias"].T)
    return x + x * x * (hidden @ m["end"].T)


def equation_of_torch(m: dict[str, Any], x: Any) -> Any:
    import torch

    x = x.detach().requires_grad_()
    y = solution(m, x, torch.tanh)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
    return (curvature + y).square().mean() / 2


def equation_by_jvp(y_of: Callable[[Any], Any], x: Any, one: Any, jvp: Callable[..., Any]) -> Any:
    """`torch.compile` knows no gradient of a gradient, but slopes that are carried forward."""

    def slope_of(x: Any) -> Any:
        return jvp(y_of, (x,), (one,))[1]

    curvature = jvp(slope_of, (x,), (one,))[1]
    return ((curvature + y_of(x)) ** 2).mean() / 2


def equation_of_compiled(m: dict[str, Any], x: Any) -> Any:
    import torch

    y_of = partial(solution, m, tanh=torch.tanh)
    return equation_by_jvp(y_of, x, torch.ones_like(x), torch.func.jvp)


def equation_of_jax(m: dict[str, Any], x: Any) -> Any:
    import jax

    y_of = partial(solution, m, tanh=jax.numpy.tanh)
    return equation_by_jvp(y_of, x, jax.numpy.ones_like(x), jax.jvp)


def huber() -> Model:
    """A network whose errors count squared while they are small: a third are not."""
    import numpy as np

    shapes = {
        "first": (NEURONS, INPUTS), "first bias": (NEURONS, 1), "end": (1, NEURONS),
    }  # fmt: skip
    random = np.random.default_rng(1)
    x, t = random.normal(size=(SAMPLES, INPUTS)), random.normal(size=(SAMPLES, 1))
    rows = np.hstack([x, t])
    return Model(shapes, rows, (x, t), huber_of_values, huber_of_torch, huber_of_jax, branches=True)


def huber_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    from micrograd_lab import dot

    *x, t = row
    hidden = [dot(w, x, b).tanh() for w, (b,) in zip(m["first"], m["first bias"])]
    error = dot(m["end"][0], hidden) - t
    if error > 1:
        return error - 0.5
    if error < -1:
        return -error - 0.5
    return error.half_square()


def huber_of_torch(m: dict[str, Any], x: Any, t: Any) -> Any:
    from torch.nn.functional import huber_loss, linear

    hidden = linear(x, m["first"], m["first bias"][:, 0]).tanh()
    return huber_loss(linear(hidden, m["end"]), t)


def huber_of_jax(m: dict[str, Any], x: Any, t: Any) -> Any:
    import jax.numpy as jnp

    hidden = jnp.tanh(x @ m["first"].T + m["first bias"].T)
    error = hidden @ m["end"].T - t
    far = jnp.abs(error)
    return jnp.where(far > 1, far - 0.5, error * error / 2).mean()


def orbit() -> Model:
    """A planet's distance from its sun, fitted: Newton's method ends after 3 to 5 steps."""
    import numpy as np

    random = np.random.default_rng(1)
    rows = np.stack([random.uniform(0, 60, SAMPLES), random.uniform(0.5, 1.5, SAMPLES)], 1)
    return Model(
        {"orbit": (3, 1)}, rows, (rows,), orbit_of_values, orbit_of_torch, orbit_of_jax,
        branches=True, of_compiled=orbit_of_compiled,
    )  # fmt: skip


def orbit_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    moment, seen = row
    (speed,), (begin,), (flatness,) = m["orbit"]
    mean, e = moment * (speed + 1) + begin, flatness + 0.5
    angle = mean
    while True:
        step = (angle - e * angle.sin() - mean) / (1 - e * angle.cos())
        angle = angle - step
        if abs(step) < 1e-9:
            return (1 - e * angle.cos() - seen).half_square()


def orbit_of_torch(m: dict[str, Any], rows: Any) -> Any:
    import torch

    mean, e = rows[:, 0] * (m["orbit"][0] + 1) + m["orbit"][1], m["orbit"][2] + 0.5
    with torch.no_grad():
        angle, before = mean, mean + 1
        while (angle - before).abs().max() >= 1e-9:
            before, angle = angle, improved(angle, mean, e)
    angle = improved(angle, mean, e)  # at the solution one step has its whole slope
    return (1 - e * angle.cos() - rows[:, 1]).square().mean() / 2


def orbit_of_compiled(m: dict[str, Any], rows: Any) -> Any:
    """As many steps as any sample needs: what is compiled cannot ask."""
    mean, e = rows[:, 0] * (m["orbit"][0] + 1) + m["orbit"][1], m["orbit"][2] + 0.5
    angle = mean.detach()
    for _ in range(5):
        angle = improved(angle, mean.detach(), e.detach())
    angle = improved(angle, mean, e)
    return (1 - e * angle.cos() - rows[:, 1]).square().mean() / 2


def improved(angle: Any, mean: Any, e: Any) -> Any:
    """A step of Newton's method."""
    return angle - (angle - e * angle.sin() - mean) / (1 - e * angle.cos())


def orbit_of_jax(m: dict[str, Any], rows: Any) -> Any:
    import jax
    import jax.numpy as jnp

    mean, e = rows[:, 0] * (m["orbit"][0] + 1) + m["orbit"][1], m["orbit"][2] + 0.5

    def improved(angle: Any, mean: Any, e: Any) -> Any:
        return angle - (angle - e * jnp.sin(angle) - mean) / (1 - e * jnp.cos(angle))

    fixed_mean, fixed_e = jax.lax.stop_gradient((mean, e))
    _, angle = jax.lax.while_loop(
        lambda pair: jnp.abs(pair[1] - pair[0]).max() >= 1e-9,
        lambda pair: (pair[1], improved(pair[1], fixed_mean, fixed_e)),
        (fixed_mean + 1, fixed_mean),
    )
    angle = improved(jax.lax.stop_gradient(angle), mean, e)
    return jnp.square(1 - e * jnp.cos(angle) - rows[:, 1]).mean() / 2


def starting(titles: Iterable[str]) -> str:
    """The processor time and memory of programs before their first step, as Markdown."""
    lines = ["\n| program | recording | compiling | memory, at most |", "|---|---:|---:|---:|"]
    for title in titles:
        if "batch" not in title or title.endswith("batch 1"):
            code = f"import programs; programs.start({title!r})"  # a process with its own memory
            command, folder = [sys.executable, "-c", code], Path(__file__).parent
            lines += subprocess.check_output(command, cwd=folder, text=True).splitlines()
    return "\n".join(lines)


def start(title: str) -> None:
    """Record and compile, and print the line of the table."""
    from micrograd_lab import recording, replay
    from micrograd_lab.engine import recorded as nodes_of

    model = models()[title]()
    if model.branches:
        return  # samples decide what is recorded
    with recording():
        begin = time.process_time()
        loss, row, parameters = recorded(model)
        between = time.process_time()
        program = replay(loss, row, parameters)
        end = time.process_time()
    program.run(model.rows)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    nodes = nodes_of(loss)
    sizes = f"{len(nodes):,} nodes, {sum(len(node.inputs) for node in nodes):,} edges"
    times = f"{duration(between - begin)} | {duration(end - between)}"
    print(f"| {title.removesuffix(', batch 1')}: {sizes} | {times} | {most:.0f} MB |")


if __name__ == "__main__":
    main(sys.argv[1:])
