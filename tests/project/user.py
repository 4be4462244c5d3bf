"""A user's program, which pyright and mypy have to accept as it stands."""

import numpy as np

from micrograd_lab import (
    MLP,
    SGD,
    Adam,
    Graph,
    Layer,
    Module,
    Neuron,
    Value,
    accuracy,
    binary_cross_entropy,
    check_gradient,
    cross_entropy,
    dot,
    draw,
    draw_network,
    explain,
    expression,
    fit,
    forward_steps,
    gradients,
    hinge,
    ieee,
    logsumexp,
    maximum,
    moons,
    plot_decision_boundary,
    recording,
    replay,
    softmax,
    step,
    total,
)

w, x, b = Value(-2, "w"), Value(np.float64(5), "x"), Value(3, "b")
f: Value = w * x + b
f = 2 * f - 1 / (f**2 + 1) + abs(-f) ** 0.5 + 2**f
f.label = "f"
y: Value = f.sigmoid().leaky_relu(0.2).pow_scalar(2)
y.backward()
slope: float = w.grad + float(y) + y.data
if f > 0 and f <= Value(1):
    print(f"{f:.3f}", slope)
(second,) = gradients(gradients(f, [w])[0], [w])
largest: Value = maximum(w, x, 0) + logsumexp([w, x]) + total([w, 1, x])
check_gradient(lambda a, c: a * c.tanh(), [1.0, 2.0])

draw(f).save("f.svg")
step(f, quiz=True).save("f.html")
print(explain(f, w), *forward_steps(f), Graph(f).names[w])
print(expression("w*x + b", {"w": 1, "x": np.float32(2), "b": w}))

with ieee(), recording():
    print(Value(0).log())

model = MLP(2, [16, 16, 1], seed=1)
output = model([0.12, 0.3])
output.backward()
draw(model([0.12, 0.3]))
draw_network(model([0.12, 0.3]), theme="dark")
loss: Value = hinge(model([0.1, w]), 1) + dot([w], [x], b)

classes = MLP(2, [8, 3], activation="tanh")
scores = classes(np.array([0.5, 0.5]).tolist())
print([score.data for score in scores], len(scores), scores[0].relu())
print(cross_entropy(scores, [0, 0, 1]), [p.data for p in softmax(scores)])

inputs, targets = moons(100, seed=1)
train, unseen = moons(100, seed=1).split(0.5, seed=1)
adam = Adam(model.parameters(), lr=0.05)
history = fit(model, *train, loss=binary_cross_entropy, optimizer=adam, validation=unseen)
fit(model, np.array(inputs), np.array(targets), loss=binary_cross_entropy, epochs=3)
part: float = accuracy(model, np.array(inputs), targets, loss=binary_cross_entropy)
plot_decision_boundary(model, np.array(inputs), np.array(targets)).save("boundary.png")
print(history.loss[-1], part)

program = replay(loss, inputs=[x], parameters=[w, b])
print(program([[1.0], [2.0]]), program(np.ones((3, 1))), program.source)


class Line(Module):
    def __init__(self) -> None:
        self.neuron = Neuron(1, activation=None)
        self.layer = Layer(1, 2)

    def __call__(self, inputs: list[Value]) -> Value:
        return self.neuron(inputs) + total(self.layer(inputs))

    def parameters(self) -> list[Value]:
        return self.neuron.parameters() + self.layer.parameters()


line = Line()
fit(line, [[1], [2]], [2, 4], optimizer=SGD(line.parameters(), lr=0.1))
