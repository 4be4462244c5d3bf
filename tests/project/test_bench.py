import sys
from functools import partial
from importlib.util import find_spec as find

import models
import ours
import programs
import pytest
import replay as bench
from sequences import GPT
from workloads import duration, workloads

np = pytest.importorskip("numpy")

LECTURE, *_ = (work for title, work in workloads().items() if "lecture" in title)


@pytest.mark.slow
def test_every_way_that_is_installed_computes_the_lectures_network(monkeypatch):
    monkeypatch.setattr(bench, "_often", lambda step: 1)
    monkeypatch.delitem(bench.WAYS, "torch.compile")  # compiles for many seconds
    times = bench.measure(LECTURE, rounds=2)
    assert {"define by run", "by hand", "Python program", "NumPy program"} <= times.keys()
    assert all(len(pair) == 2 for pair in times.values())


SMALL = {"GPT, 2 layers": partial(GPT(layers=2, letters=4, width=8).model, 2)} | {
    title: make for title, make in programs.models().items() if "103,808" not in title
}


@pytest.mark.slow
@pytest.mark.parametrize("title", SMALL)
def test_every_way_that_is_installed_computes_the_programs(title, monkeypatch):
    monkeypatch.setattr(bench, "_often", lambda step: 1)
    monkeypatch.delitem(models.WAYS, "torch.compile")  # compiles for many seconds
    model = SMALL[title]()
    steps = {way: make(model) for way, (library, make) in models.WAYS.items() if find(library)}
    assert "tape" in bench.in_turns(steps, rounds=1)


@pytest.mark.slow
def test_the_size_of_a_program_is_told_with_what_it_takes(capsys):
    programs.start("RNN, 32 neurons, 20 steps, batch 1")
    assert capsys.readouterr().out.startswith("| RNN, 32 neurons, 20 steps: 3,608 nodes, ")


def test_a_way_with_other_results_is_refused(monkeypatch):
    monkeypatch.setattr(
        bench,
        "WAYS",
        {
            "by hand": ("numpy", ours.by_hand, None),
            "wrong": ("numpy", lambda net: lambda: (0.0, np.zeros(12)), None),
        },
    )
    with pytest.raises(ValueError, match=r"wrong is 1e\+00 away from by hand"):
        bench.measure(LECTURE, rounds=1)


def test_the_table_says_how_many_times_as_fast_as_by_hand():
    by_hand = [bench.Turn(4e-3, 2e-3), bench.Turn(2e-3, 2e-3), bench.Turn(2e-3, 2e-3)]
    tape = [bench.Turn(1e-3, 5e-4), bench.Turn(4e-6, 4e-6), bench.Turn(1e-3, 1e-3)]
    table = bench.table("moons", {"by hand": by_hand, "tape": tape})
    assert table.splitlines()[-1] == "| tape | 1 ms | 4 µs | 500 µs | 4 |"


def test_times_have_three_digits():
    assert [duration(s) for s in (1.2345, 0.0123, 1e-6)] == ["1.23 s", "12.3 ms", "1 µs"]


def test_it_starts_again_with_one_thread(monkeypatch):
    calls = []
    monkeypatch.setattr(bench.os, "execve", lambda *call: calls.append(call) or sys.exit())
    monkeypatch.setenv("OPENBLAS_CORETYPE", "pinned")
    with pytest.raises(SystemExit):
        bench.main(["--only", "moons", "--rounds", "5"])
    ((_, command, environment),) = calls
    assert command[2:] == ["--only", "moons", "--rounds", "5"]
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "OPENBLAS_CORETYPE" not in environment


def test_no_rounds_are_refused(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "0"])
    assert "0 rounds; give at least 1" in capsys.readouterr().err
