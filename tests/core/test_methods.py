import inspect
import runpy
from pathlib import Path

from micrograd_lab import Value
from micrograd_lab.ops import OPS

STUB = runpy.run_path(str(Path(__file__).with_name("methods.py")), run_name="stub")


def test_the_stub_for_editors_repeats_the_table():
    assert STUB["STUB"].read_text("utf-8") == STUB["stub"]()


def test_help_shows_each_operation_with_its_own_name_number_and_slopes():
    assert inspect.signature(Value.leaky_relu).parameters["n"].default == 0.01
    for op in OPS.values():
        if op.unary:
            method = getattr(Value, op.name)
            assert (method.__name__, method.__qualname__) == (op.name, f"Value.{op.name}")
            assert op.shown[1] in method.__doc__
