import json
import sys
from datetime import date
from functools import partial
from importlib.util import find_spec as find

import measured
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


TURNS = {
    "by hand": [bench.Turn(4e-3, 2e-3), bench.Turn(2e-3, 2e-3), bench.Turn(2e-3, 2e-3)],
    "tape": [bench.Turn(1e-3, 5e-4), bench.Turn(4e-6, 4e-6), bench.Turn(1e-3, 1e-3)],
}


def test_the_table_says_how_many_times_as_fast_as_by_hand(capsys):
    bench.tell("moons", TURNS)
    assert capsys.readouterr().out.splitlines()[-1] == "| tape | 1 ms | 4 µs | 500 µs | 4 |"


@pytest.mark.parametrize(("script", "base"), [(bench, "by hand"), (programs, "tape")])
def test_what_was_measured_is_in_a_file(script, base, tmp_path, monkeypatch):
    for name, thing in {
        "on_one_thread": lambda *_: None,
        "workloads": lambda: {"moons": None, "chain": None},
        "models": lambda: {"moons": lambda: None, "chain": lambda: None},
        "WAYS": {},
        "measure": lambda *_: TURNS,
        "in_turns": lambda *_: TURNS,
        "starting": lambda *_: "",
    }.items():
        monkeypatch.setattr(script, name, thing, raising=False)
    script.main(["--only", "moons", "-o", str(tmp_path / "run.json")])
    run = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert (run["date"], run["base"]) == (date.today().isoformat(), base)
    assert f"numpy {np.__version__}" in run["versions"]
    (times,) = run["workloads"].values()
    assert [*times["tape"].values()] == [1e-3, 4e-6, 5e-4, {"by hand": 4.0, "tape": 1.0}[base]]


def test_the_page_has_the_tables_of_the_files_and_no_other():
    page = measured.PAGE.read_text("utf-8")
    assert measured.updated(page) == page
    assert tuple(found[2] for found in measured.FILE_IN_PAGE.finditer(page)) == measured.FILES
    assert "| median | least |" not in measured.FILE_IN_PAGE.sub("", page)


@pytest.mark.parametrize(
    ("file", "made"), [("replay.json", workloads), ("programs.json", programs.models)]
)
def test_a_file_has_what_its_script_computes_now(file, made):
    assert list(measured.load(file)["workloads"]) == list(made())


def test_a_page_follows_its_files(monkeypatch):
    times = {"tape": {"median": 1e-3, "least": 4e-6, "processor": 5e-4, "speed": 4.0}}
    run = {
        "date": "2026-11-28", "versions": "Python 3", "machine": "1 core", "base": "by hand",
        "workloads": {"x² + 1": times},
    }  # fmt: skip
    monkeypatch.setattr(measured, "load", {"some.json": run}.__getitem__)
    start, end = "<!-- measured: some.json -->", "<!-- until here -->"
    assert (
        measured.updated(f"before\n\n{start}\nold\n{end}\n\nafter")
        == f"""before

{start}

2026-11-28, Python 3; 1 core.

<!-- drawn: times/x-1.svg, x² + 1: the times of the table below, the fastest first -->

| x² + 1 | median | least | of the processor | by hand = 1 |
| -- | -: | -: | -: | -: |
| tape | 1 ms | 4 µs | 500 µs | 4 |

{end}

after"""
    )


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
