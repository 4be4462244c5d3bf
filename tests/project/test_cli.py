import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import pytest

from micrograd_lab import MLP, __version__, explain, expression, lecture, load, step
from micrograd_lab.cli import COMMANDS, main

PACKAGE = Path(__file__).parents[2]


def run(*arguments, cwd=None, encoding="utf-8", environment=None):
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "micrograd_lab", *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=cwd,
        env=os.environ
        | {"PYTHONPATH": path, "PYTHONIOENCODING": encoding or "utf-8"}
        | (environment or {}),
        encoding=encoding,
        timeout=120,
    )


def one_line(done):
    """What a refused command line prints: one line, and nothing else."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^    {name}  +\w", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_fits_the_screen(name):
    done = run(name, "--help")
    assert done.returncode == 0
    assert f"  micrograd-lab {name}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_without_a_command_there_is_help():
    done = run()
    assert (done.returncode, done.stderr, done.stdout) == (0, "", run("--help").stdout)


def completed(line, cwd):
    """What a shell is told after somebody typed `line` and Tab."""
    environment = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"}
    environment |= {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": "told"}
    done = run(cwd=cwd, environment=environment)
    assert done.stderr == ""
    return Path(cwd, "told").read_text().split("\v")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("micrograd-lab dr", ["draw "]),
        ("micrograd-lab draw --coll", ["--collapse "]),
        ("micrograd-lab draw x --collapse n", ["neuron", "nothing"]),
        ("micrograd-lab train sp", ["spirals "]),
        ("micrograd-lab train x", ["xor", "xnor"]),
        ("micrograd-lab draw 'g = w*x; tanh(g)' w=1 x", ["x="]),
    ],
)
def test_a_shell_completes_what_may_follow(tmp_path, line, told):
    pytest.importorskip("argcomplete")
    assert completed(line, tmp_path) == told


def test_a_shell_completes_the_names_that_have_no_number_yet(tmp_path):
    pytest.importorskip("argcomplete")
    told = completed("micrograd-lab step 'g = w*x; tanh(g) + b**2' x=3 ", tmp_path)
    assert [word for word in told if word.endswith("=")] == ["w=", "b="]


def test_version():
    assert run("--version").stdout == f"micrograd-lab {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lectur"], "invalid choice: 'lectur'"),
        (["--frob"], "arguments are required: COMMAND|unrecognized arguments: --frob"),
        (["draw"], "arguments are required: expression;"),
        (["draw", "x", "x=1", "--frob"], "unrecognized arguments: --frob"),
        (["draw", "x", "x=1", "--theme", "pink"], "invalid choice: 'pink'"),
        (["draw", "w*x", "w=1"], "x has no number; give x=…"),
        (["draw", "w*x", "w=1", "x"], "'x' is not NAME=NUMBER, such as w=-2"),
        (["draw", "x", "2x=3"], "'2x=3' is not NAME=NUMBER, such as w=-2"),
        (["draw", "w*x", "w=1", "x=one"], "'one' is not a number for x; write x=0.5"),
        (["draw", "x", "x=1", "x=2"], "x has two numbers; give one"),
        (["draw", "x1", "x1=1e400"], "x1=1e400 is beyond 1.8e308, the largest float"),
        (["draw", "x1", "x1=-1e400"], "x1=-1e400 is beyond 1.8e308, the largest float"),
        (["draw", "1e400*x1", "x1=1"], "a number beyond 1.8e308, the largest float"),
        (
            ["explain", "w*x+b", "w=1", "x=2", "b=3"],
            'name the value to explain, as in: explain "w\\*x\\+b" w w=1 x=2 b=3',
        ),
        (
            ["draw", "x", "x=1", "-o", "f.svg", "--format", "png"],
            "f.svg says its format; --format is for -o -",
        ),
        (["draw", "x.real", "x=1"], "'x.real' is not understood"),
        (["draw", "log(x)", "x=-1"], "log is undefined at x = Value\\(x: -1, grad=0\\)"),
    ],
)
def test_a_wrong_argument_gets_one_line_and_exit_code_2(arguments, says):
    line = one_line(run(*arguments))
    assert line.startswith("micrograd-lab")
    assert re.search(says, line)


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """What `lecture` prints, and the folder that it writes."""
    where = tmp_path_factory.mktemp("empty")
    return run("lecture", cwd=where), where / "lecture"


def test_the_lecture_is_computed_and_drawn(computed):
    done, folder = computed
    assert (done.returncode, done.stderr) == (0, "")
    assert "slide says  engine says" in done.stdout
    assert re.search(r"∂E/∂w_\{1,1\}\^\{\(2\)\} +0\.0727 +0\.0728", done.stdout)
    assert re.search(r"w_\{1,1\}\^\{\(2\)\} +0\.40 +0\.365699 +0\.434301", done.stdout)
    *lines, last = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert last.endswith(f"into {folder}")
    files = {path.name for path in folder.iterdir()}
    names = ("toy", "network_corrected", "network_printed")
    suffixes = (".svg", ".png", ".html", ".txt")
    assert files == {name + suffix for name in names for suffix in suffixes}
    for picture in folder.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_every_gradient_of_the_lecture_is_derived(computed):
    _, folder = computed
    text = (folder / "network_corrected.txt").read_text("utf-8")
    example = lecture.network()
    for weight in example.parameters:
        assert f"∂E/∂{weight.label}\n---" in text
        assert str(explain(example.result, weight)) in text


def test_the_steps_become_a_page(tmp_path):
    done = run("step", "w*x + b", "w=-2", "x=5", "b=3", "-o", "f.html", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "wrote f.html"
    assert 'class="micrograd-stepper"' in (tmp_path / "f.html").read_text("utf-8")


@pytest.mark.parametrize(("words", "name"), [((), "quiz.html"), (("-o", "f.html"), "f.html")])
def test_a_quiz_is_a_page_and_the_terminal_does_not_give_it_away(tmp_path, words, name):
    done = run("step", "f = w*x", "w=-2", "x=5", "--quiz", *words, cwd=tmp_path)
    forward = ["forward", "f = w × x = −2 × 5 = −10", f"wrote {name}"]
    assert done.stdout.splitlines() == forward
    assert [path.name for path in tmp_path.iterdir()] == [name]
    quiz = step(expression("f = w*x", {"w": -2, "x": 5}), quiz=True)
    quiz.save(tmp_path / "same.html")
    assert (tmp_path / "same.html").read_bytes() == (tmp_path / name).read_bytes()


def test_a_reader_that_stops_reading_is_no_error_and_the_pictures_are_there(tmp_path):
    command = [sys.executable, "-m", "micrograd_lab", "lecture", "-o", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
    assert len(list(tmp_path.iterdir())) == 12


@pytest.mark.parametrize(
    ("words", "encoding", "says"),
    [
        (["lecture"], "ascii", "dE/dy_1"),
        (["explain", "f = w*x", "w", "w=-2", "x=3"], "ascii", "f = w * x = -2 * 3 = -6"),
        (["explain", "f = w*x", "w", "w=-2", "x=3"], "cp1252", "f = w × x = -2 × 3 = -6"),
        (["explain", "f = w**2", "w", "w=1e-6"], "ascii", "f = w^2 = (1.00*10^-6)^2 = 1.00*10^-12"),
        (["step", "f = sqrt(x)/3 + x", "x=4"], "ascii", "v2 = sqrt(x) = sqrt(4) = 2"),
        (["step", "f = σ(x) + x", "x=0"], "ascii", "df/dx += 1 * 0.250 = 0.250, adds to 1 -> 1.25"),
        (["draw", "σ*x"], "cp1252", "sigma, x have no number; give sigma=… x=…"),
        (["draw", "x*Σ", "x=1", "Σ=2", "-o", "f.dot"], "ascii", "dv3/dSigma = 1"),
        (["draw", "x*ж", "x=1"], "ascii", "? has no number; give ?=..."),
    ],
    ids=str,
)
def test_signs_that_a_terminal_lacks_stay_legible(tmp_path, words, encoding, says):
    done = run(*words, cwd=tmp_path, encoding=encoding)
    assert "Traceback" not in done.stderr
    assert says in done.stdout + done.stderr


def test_an_expression_is_drawn_and_its_gradients_are_printed(tmp_path):
    done = run("draw", "f = w*x + b", "w=-2", "x=5", "b=3", "-o", "f.svg", cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "f = -7",
        "∂f/∂w = 5",
        "∂f/∂x = -2",
        "∂f/∂b = 1",
        "wrote f.svg",
    ]
    assert "<svg" in (tmp_path / "f.svg").read_text("utf-8")


def test_an_expression_is_drawn_from_top_to_bottom(tmp_path):
    run("draw", "w*x", "w=2", "x=3", "--rankdir", "TB", "-o", "f.dot", cwd=tmp_path)
    assert "rankdir=TB" in (tmp_path / "f.dot").read_text("utf-8")


def test_without_gradients_the_forward_pass_is_drawn(tmp_path):
    done = run("draw", "w*x", "w=2", "x=0.75", "--no-gradients", "-o", "f.dot", cwd=tmp_path)
    assert done.stdout.splitlines() == ["v3 = 1.5", "wrote f.dot"]
    assert "1.50" in (tmp_path / "f.dot").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ((), b"<svg "),
        (("--format", "svg"), b"<svg "),
        (("--format", "png"), b"\x89PNG\r\n\x1a\n"),
        (("--format", "pdf"), b"%PDF-"),
        (("--format", "tex"), b"%"),
        (("--format", "dot"), b"digraph {"),
    ],
    ids=str,
)
def test_a_picture_alone_goes_to_standard_output(tmp_path, words, begins):
    done = run("draw", "w*x", "w=2", "x=3", "-o", "-", *words, cwd=tmp_path, encoding=None)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(begins)
    assert not list(tmp_path.iterdir())
    run("draw", "w*x", "w=2", "x=3", "-o", f"f.{(words or ('', 'svg'))[1]}", cwd=tmp_path)
    [file] = tmp_path.iterdir()
    assert done.stdout == file.read_bytes()


def test_neurons_are_collapsed_and_layers_framed(tmp_path):
    words = ("draw", "h = relu(dot([w_1, w_2], [x_1, x_2], w_0)); y = relu(dot([w_3], [h]))")
    words += (*(f"{name}=1" for name in ["w_0", "w_1", "w_2", "w_3", "x_1", "x_2"]), "-o", "-")
    every, neurons, framed = (
        run(*words, "--format", "dot", *option.split(), cwd=tmp_path).stdout
        for option in ("", "--collapse neuron", "--collapse neuron --layers")
    )
    assert "Σ│ReLU" in neurons
    assert "Σ│ReLU" not in every
    assert "output layer" in framed
    assert "output layer" not in neurons


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "f.dot", "w*x", "w=2", "x=3"],
        ["w*x", "-o", "f.dot", "w=2", "x=3"],
        ["w*x", "w=2", "-o", "f.dot", "x=3"],
        ["--theme=dark", "w*x", "w=2", "--output", "f.dot", "x=3"],
    ],
    ids=" ".join,
)
def test_options_may_stand_anywhere(tmp_path, words):
    assert run("draw", *words, cwd=tmp_path).stdout.startswith("v3 = 6\n")
    assert (tmp_path / "f.dot").exists()


@pytest.mark.parametrize("text", ["-w*x", "-tanh(w)*x", "-w - x", "-2*w*x"])
def test_an_expression_may_begin_with_a_minus(tmp_path, text):
    done = run("draw", text, "w=1", "x=2", "-o", tmp_path / "f.dot")
    assert re.match(r"v\d = -", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["draw", "x", "x=1", "-o", "graph.gif"],
            "has no known format; end it in .svg, .png, .pdf, .tex or .dot",
        ),
        (["draw", "x", "x=1", "-o", "no/folder/f.svg"], "no/folder/f.svg: No such file"),
        (["draw", "x", "x=1", "-o", "file/f.svg"], "file/f.svg: Not a directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path, arguments, says):
    (tmp_path / "file").touch()
    assert says in one_line(run(*arguments, cwd=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_steps_of_an_expression_are_printed():
    assert run("step", "w*x + b", "w=-2", "x=5", "b=3").stdout.splitlines() == [
        "forward",
        "v4 = w × x = −2 × 5 = −10",
        "v5 = v4 + b = −10 + 3 = −7",
        "backward",
        "∂v5/∂v5 = 1",
        "∂v5/∂v4 += 1 × 1 = 1",
        "∂v5/∂b += 1 × 1 = 1",
        "∂v5/∂w += 1 × 5 = 5",
        "∂v5/∂x += 1 × (−2) = −2",
    ]


def test_the_derivation_of_a_gradient_is_printed():
    done = run("explain", "g = w*x; f = g + b", "w", "w=-2", "x=5", "b=3")
    first, *_, last = done.stdout.splitlines()
    assert first == "∂f/∂w = ∂g/∂w × ∂f/∂g"
    assert last == "∂f/∂w = 5 ≈ (f(w + h) − f(w − h)) ÷ (2 × h) = 5.000000, with h = 0.00001"


def test_the_name_to_explain_may_stand_anywhere():
    first = run("explain", "w*x", "w=-2", "x=5", "w").stdout.splitlines()[0]
    assert first == "∂v3/∂w = x = 5, as v3 = w × x = −2 × 5 = −10"


def test_infinity_is_a_number_for_those_who_write_it():
    assert run("step", "x + 1", "x=inf").stdout.splitlines()[1] == "v3 = x + v2 = ∞ + 1 = ∞"


def test_the_derivation_has_other_forms():
    words = ("explain", "w_11*x", "w_11", "w_11=-2", "x=5")
    assert run(*words, "--latex").stdout.startswith(
        "\\begin{aligned}\n& \\frac{\\partial \\text{v3}}"
    )
    assert run(*words, "--markdown").stdout.startswith(
        "- $\\frac{\\partial \\text{v3}}{\\partial w_{11}}"
    )


def test_a_name_that_is_not_in_the_expression_is_refused():
    says = "there is no q here; there are w, x, v3"
    assert says in one_line(run("explain", "w*x", "q", "w=-2", "x=5"))


def test_without_graphviz_the_numbers_are_printed_and_one_line_says_what_to_install(
    tmp_path, monkeypatch, capsys
):
    rendering = import_module("micrograd_lab.drawing.graph.rendering")
    monkeypatch.setattr(rendering, "_in_process", lambda: False)
    monkeypatch.setattr(rendering, "which", lambda program, path=None: None)
    assert main(["lecture", "-o", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "slide says  engine says" in printed.out
    (line,) = printed.err.splitlines()
    assert "pip install pygraphviz" in line


def test_without_a_package_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    assert main(["draw", "x", "x=1"]) == 2
    assert capsys.readouterr().err.endswith("; pip install graphviz\n")


def test_a_folder_that_cannot_be_made_does_not_hide_the_numbers(tmp_path, capsys):
    path = tmp_path / "file"
    path.touch()
    assert main(["lecture", "-o", str(path)]) == 2
    printed = capsys.readouterr()
    assert "slide says  engine says" in printed.out
    assert printed.err == f"micrograd-lab lecture: {path}: File exists\n"


def test_a_program_without_a_standard_output_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdout", None)
    assert main(["draw", "2*x", "x=1", "-o", str(tmp_path / "f.svg")]) == 0


def test_a_network_is_trained_and_saved(tmp_path):
    done = run("train", "moons", "--hidden", 4, "4", "--epochs", 15, "--lr", 0.1, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, learned, unseen, last = done.stdout.splitlines()
    assert re.fullmatch(r"History\(15 epochs, loss [\d.]+ to [\d.]+\), 37 parameters", first)
    assert re.fullmatch(r"accuracy (8|9)\d\.\d% on 320 samples learned from", learned)
    assert re.fullmatch(r"accuracy (8|9)\d\.\d% on 80 samples never seen", unseen)
    assert last == "wrote moons.safetensors and moons.svg"
    assert "<svg" in (tmp_path / "moons.svg").read_text("utf-8")
    assert repr(load(tmp_path / "moons.safetensors")) == repr(MLP(2, [4, 4, 1]))


@pytest.mark.slow
def test_training_is_repeated_with_the_same_seed(tmp_path):
    words = ("train", "xor", "--hidden", 3, "--activation", "tanh", "--epochs", 20)
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        assert run(*words, "--seed", seed, "-o", name, cwd=tmp_path).returncode == 0
    one, again, other = (
        (tmp_path / f"{name}.safetensors").read_bytes() for name in ("one", "again", "other")
    )
    assert one == again != other


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["suns"], "invalid choice: 'suns'"),
        (["xor", "--hidden", "0"], "2 inputs and 0 neurons"),
        (["xor", "--activation", "swish"], "no activation 'swish'; there are linear, neg"),
        (["xor", "--epochs", "-1"], "epochs is -1; it needs to be at least 0"),
        (["xor", "--lr", "-1"], "lr is -1; it needs to be at least 0"),
        (["xor", "--lr", "1e300"], "epoch 1, sample 0: "),
        (["xor", "--epochs", "1", "-o", "no/folder/xor"], "No such file"),
    ],
    ids=str,
)
def test_a_training_that_cannot_be_is_one_line(tmp_path, words, says):
    assert says in one_line(run("train", *words, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


class Interrupted(io.StringIO):
    """A terminal at which somebody presses Ctrl-C."""

    def write(self, text):
        raise KeyboardInterrupt


def test_ctrl_c_gives_the_exit_code_of_an_interrupt():
    with redirect_stdout(Interrupted()):
        assert main(["explain", "x*x", "x", "x=2"]) == 130
