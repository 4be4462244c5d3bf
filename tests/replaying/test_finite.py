"""A replay refuses what the engine refuses, also where the loss itself looks right."""

import pytest

from micrograd_lab import Value, replay

pytest.importorskip("numpy")


@pytest.mark.parametrize("samples", [1, 500])  # plain Python, arrays
def test_an_overflow_that_a_later_division_hides_is_named(samples):
    w, x = Value(1, "w"), Value(0, "x")
    program = replay(w / x.exp(), [x], [w], backend="numpy")
    with pytest.raises(ValueError, match=r"sample 0, v3: exp overflows at x = Value\(x: 800"):
        program([[800.0]] + [[1.0]] * (samples - 1))
