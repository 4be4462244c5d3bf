"""The plane of two inputs, in a browser."""

from browsers import until

from micrograd_lab import MLP, Value, cross_entropy, gate, squared_error, step

XOR = [[*x, t] for x, t in zip(*gate("xor"), strict=True)]


def network():
    """The loss of a small network, its inputs and target, and rows for them."""
    inputs = [Value(1, "x_1"), Value(0, "x_2"), Value(1, "t")]
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    result = squared_error(model(inputs[:2]), inputs[2])
    result.label = "E"
    return result, inputs, XOR


def test_two_inputs_and_a_target_show_a_plane(shown):
    result, inputs, rows = network()
    (page,) = shown(step(result, inputs=inputs, data=rows))
    assert page.each(".boundary .across > span", "it.textContent") == ["−0.3", "x1", "1.3"]
    assert page.each(".boundary .up > span", "it.textContent") == ["1.3", "x2", "−0.3"]
    assert page.count(".boundary .field path") == 4
    assert "of 4 samples on the right side" in page.text(".boundary")


def test_other_samples_show_no_plane(shown):
    x, t = Value(1, "x"), Value(2, "t")
    (page,) = shown(step((x * Value(3, "w") - t) ** 2, inputs=[x, t], data=[[1, 2], [2, 3]]))
    assert page.shown(".boundary") == 0
    assert page.text(".sample") == "sample 1 of 2"


def test_the_ends_of_the_axes_stand_at_the_plane_beside_a_longer_text(shown):
    inputs, t = [Value(1, "x_1"), Value(0, "x_2")], Value(1, "t")
    result = squared_error(MLP(2, [16, 16, 1], seed=1)(inputs), t)
    (page,) = shown(step(result, inputs=[*inputs, t], data=XOR))
    page.press("last")
    assert page.box(".text")[3] > page.box(".boundary")[3]
    assert page.box(".boundary .up")[3] == page.box(".boundary .field")[3]


def test_the_head_of_a_link_has_the_colour_of_its_weight(shown):
    inputs, t = [Value(1, "x_1"), Value(0, "x_2")], Value(1, "t")
    result = squared_error(MLP(2, [16, 16, 1], seed=1)(inputs), t)
    (page,) = shown(step(result), address="#w1,1(1)=-9")
    colours = page.ask(
        """() => all(".edge").filter((edge) => edge.querySelector("path").style.stroke)
            .map((edge) => [getComputedStyle(edge.querySelector("path")).stroke,
                getComputedStyle(edge.querySelector("polygon")).fill])"""
    )
    assert len(colours) > 20
    assert all(line == head for line, head in colours)


PIXELS = """(root) => {
  const canvas = find("canvas");
  return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}"""


def test_the_plane_moves_with_a_weight_and_in_training(shown):
    result, inputs, rows = network()
    (page,) = shown(step(result, inputs=inputs, data=rows, rate=0.2))
    first = page.ask(PIXELS)
    page.press("last")
    page.press("again")
    assert page.ask(PIXELS) != first
    page.press("reset")
    assert page.ask(PIXELS) == first


def test_a_click_in_the_plane_chooses_the_nearest_sample(shown):
    result, inputs, rows = network()
    (page,) = shown(step(result, inputs=inputs, data=rows))
    left, top, right, _ = page.box(".field")
    page.browser.click(left + 0.15 * (right - left), top + 0.2 * (right - left))  # near (0, 1)
    assert page.text(".sample") == f"sample {rows.index([0, 1, 1]) + 1} of 4"
    x, y = (float(page.attribute(".ring", name)) for name in ("cx", "cy"))
    assert (round(x), round(y)) == (19, 19)


def test_an_epoch_is_an_update_for_each_sample(shown):
    result, inputs, rows = network()
    (page,) = shown(step(result, inputs=inputs, data=rows))
    page.press("last")
    assert page.text(".epoch") == "epoch (4 updates)"
    before = page.text(".sample")
    page.press("epoch")
    until(lambda: "over 4 samples after 4 updates" in page.one(".curve", "it.textContent"))
    assert page.text(".sample") == before
    page.click(".batches button:last-child")
    assert page.shown(".epoch") == 0


def test_each_class_has_a_colour_and_many_targets_share_two(shown):
    x, t = [Value(1, "x_1"), Value(0, "x_2")], Value(2, "t")
    three = cross_entropy(MLP(2, [3], seed=1)(x), t)
    rows = [[k, k * k, k % 3] for k in range(7)]
    (page,) = shown(step(three, inputs=[*x, t], data=rows))
    legend = page.each(".legend span:has(svg)", "it.textContent.trim()")
    assert legend == ["t = 0", "t = 1", "t = 2"]
    colours = page.each(".field path", "getComputedStyle(it).color")
    assert colours == [colours[k % 3] for k in range(7)]
    assert len(set(colours)) == 3

    result, inputs, _ = network()
    (page,) = shown(step(result, inputs=inputs, data=[[k, 0, k / 4] for k in range(7)]))
    assert page.each(".legend span:has(svg)", "it.textContent.trim()") == ["t = 0", "t = 1.5"]
    assert len(set(page.each(".field path", "getComputedStyle(it).color"))) == 7
    assert "right side" not in page.text(".boundary")


def test_a_link_shows_the_sample_and_the_sign_too(shown):
    result, inputs, rows = network()
    at = rows.index([1, 1, 0])
    (page,) = shown(step(result, inputs=inputs, data=rows), address="#x2=1&t=0&η=-0.25")
    assert page.text(".sample") == f"sample {at + 1} of 4"
    assert page.text(".signs .here") == "+ climb"
    assert page.one(".eta", "it.value") == "0.25"
