import gc
import threading

import pytest

from micrograd_lab import MLP, Value, fit, recording


@pytest.fixture(autouse=True)
def collecting():
    gc.enable()
    yield
    gc.enable()


def test_the_collector_rests_while_recording():
    with recording():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_goes_on_after_an_error():
    with pytest.raises(ValueError, match="log is undefined"), recording():
        Value(-1).log()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    with recording():
        pass
    assert not gc.isenabled()


def test_recordings_may_be_nested():
    with recording():
        with recording():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_threads_that_overlap_leave_the_collector_on():
    inside, leave = threading.Barrier(2), threading.Event()

    def record():
        with recording():
            inside.wait()
            leave.wait()

    thread = threading.Thread(target=record)
    thread.start()
    inside.wait()
    with recording():
        assert not gc.isenabled()
    assert not gc.isenabled()  # the other thread still records
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_many_threads_never_leave_the_collector_off():
    def record():
        for _ in range(300):
            with recording():
                Value(1).exp()

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.isenabled()


def test_fit_records_undisturbed():
    seen = []

    def loss(output, target):
        seen.append(gc.isenabled())
        return (output - target) ** 2

    fit(MLP(1, [1], seed=1), [[1], [2]], [1, 2], loss=loss, epochs=2, engine="scalar")
    assert seen == [False] * 4
    assert gc.isenabled()
