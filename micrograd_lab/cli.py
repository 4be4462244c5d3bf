"""The package from a terminal: ``micrograd-lab lecture``, ``micrograd-lab draw "w*x + b" ...``.

A subcommand is one function in `COMMANDS`, which adds its arguments to a parser and returns the
function to run.  ``micrograd-lab --help`` shows the first line of its docstring, and
``micrograd-lab NAME --help`` all of it.  A ValueError, OSError, RuntimeError or ImportError becomes
one line and exit code 2.
"""

from __future__ import annotations

import codecs
import inspect
import os
import re
import sys
import unicodedata
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from . import __version__, drawing, nn, stepper
from .graph import Graph
from .nn.datasets import GATES
from .saving import write_whole
from .tell.explanation import explain as derivation
from .tell.expressions import expression, names_read, numbers_in
from .tell.steps import backward_steps, forward_steps

Run = Callable[[Namespace], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code is 0, or 2 after an error.

    >>> main(["step", "w*x", "w=2", "x=3"])
    forward
    v3 = w × x = 2 × 3 = 6
    backward
    ∂v3/∂v3 = 1
    ∂v3/∂w += 1 × 3 = 3
    ∂v3/∂x += 1 × 2 = 2
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="legible")  # a terminal without σ and ∂ shows sigma and d
    options = _parse(list(sys.argv[1:] if arguments is None else arguments))
    try:
        options.run(options)
        print(end="", flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        message = str(error)
        if isinstance(error, OSError) and error.filename:
            message = f"{error.filename}: {error.strerror}"
        elif isinstance(error, ModuleNotFoundError):
            message += f"; pip install {error.name}"
        return _fail(options.program, message)
    return 0


def lecture(parser: ArgumentParser) -> Run:
    """Recompute every example of the lecture, explain the differences, and draw the graphs.

    Prints every number of the slides beside the computed one, with the reason for a difference,
    and the weights after an update.  For the toy example and for the network, as printed and
    corrected, writes pictures (SVG and PNG), a page to step through and to train in a browser, with
    the slides' titles and notes on their errata, and a text that derives the gradient of every
    parameter.

    examples:
      micrograd-lab lecture
      micrograd-lab lecture -o pictures
    """
    add, where = parser.add_argument, "where to write the files (default: %(default)s)"
    add("-o", "--output", type=Path, default=Path("lecture"), metavar="FOLDER", help=where)

    def run(parsed: Namespace) -> None:
        from .lecture import RATE, network, report, toy  # which computes all that is on the slides

        examples = {"toy": toy()}
        examples |= {f"network_{wiring}": network(wiring) for wiring in ("corrected", "printed")}
        try:  # files first: a reader such as `head` may end the program while it prints
            parsed.output.mkdir(parents=True, exist_ok=True)
            for name, example in examples.items():
                result, path = example.result, parsed.output / name
                f = Graph(result, products=False).names[result]
                parts = {"Forward": "\n".join(map(str, forward_steps(result)))}
                for w in example.parameters:
                    parts[f"∂{f}/∂{w.label}"] = str(derivation(result, w))
                text = [f"{title}\n{'-' * len(title)}\n\n{of}\n" for title, of in parts.items()]
                write_whole(f"{path}.txt", "\n\n".join(text).encode())
                rate = -0.1 if name == "toy" else RATE
                stepper.step(result, chapters=example.chapters, rate=rate).save(f"{path}.html")
                result.backward()
                diagram = drawing.draw(result)
                for suffix in ("svg", "png"):
                    diagram.save(f"{path}.{suffix}")
        finally:
            print(report(), flush=True)
        folder = parsed.output.resolve()
        print(f"\nwrote {', '.join(examples)} as .svg, .png, .html and .txt into {folder}")

    return run


def draw(parser: ArgumentParser) -> Run:
    """Draw the computational graph of an expression.

    Values stand above the wires, gradients below them.  Functions are exp, log, tanh, sigmoid,
    relu and every other operation of one input, sum(a, b, ...) and dot([w1, w2], [x1, x2], b).
    Intermediate values can be named, and the picture shows the names.

    examples:
      micrograd-lab draw "w*x + b" w=-2 x=5 b=3 -o f.svg
      micrograd-lab draw "g = w*x; f = g + b" w=-2 x=5 b=3
      micrograd-lab draw "sigmoid(w_1*x_1 + w_0)" w_1=0.15 x_1=0.12 w_0=0.1 -o neuron.png
      micrograd-lab draw "w*x + b" w=-2 x=5 b=3 -o - --format dot
    """
    _expect_expression(parser)
    add, formats = parser.add_argument, ("svg", "png", "pdf", "tex", "dot")
    where = ".svg, .png, .pdf, .tex or .dot; - for standard output (default: %(default)s)"
    add("-o", "--output", default="graph.svg", metavar="FILE", help=where)
    add("--format", choices=formats, help="of standard output (default: svg)")
    add("--theme", choices=("auto", "light", "dark"), default="auto", help="colours")
    add("--rankdir", choices=("LR", "TB"), default="LR", help="TB draws downwards")
    add("--no-gradients", action="store_true", help="draw the forward pass alone")
    told = "one node per neuron (without a word: neuron), or every node"
    add("--collapse", nargs="?", const="neuron", choices=("neuron", "nothing"), help=told)
    add("--layers", action="store_true", help="a frame around the neurons of each layer")

    def run(parsed: Namespace) -> None:
        if parsed.format and parsed.output != "-":
            raise ValueError(f"{parsed.output} says its format; --format is for -o -")
        result = expression(parsed.expression, numbers_in(parsed.numbers))
        if not parsed.no_gradients:
            result.backward()
        chosen = {name: vars(parsed)[name] for name in ("theme", "rankdir", "collapse", "layers")}
        diagram = drawing.draw(result, **chosen)
        if parsed.output == "-":
            with TemporaryDirectory() as folder:
                file = diagram.save(Path(folder, f"graph.{parsed.format or 'svg'}"))
                sys.stdout.buffer.write(file.read_bytes())
            return
        diagram.save(parsed.output)
        graph = Graph(result, products=False)
        print(f"{graph.names[result]} = {result.data:.6g}")
        for node in graph.nodes if graph.has_gradients else ():
            if node.label and not node.inputs and node is not result:
                print(f"∂{graph.names[result]}/∂{graph.names[node]} = {node.grad:.6g}")
        print(f"wrote {parsed.output}")

    return run


def step(parser: ArgumentParser) -> Run:
    """Print the forward and the backward pass of an expression, step by step.

    A forward step is a formula, the formula with numbers, and its result.  A backward step is the
    chain rule: an input receives the gradient so far times a local derivative.  With -o the same
    steps become a page to walk through in a browser.

    examples:
      micrograd-lab step "w*x + b" w=-2 x=5 b=3
      micrograd-lab step "g = w*x; f = g + b" w=-2 x=5 b=3 -o f.html
      micrograd-lab step "sigmoid(w*x + b)" w=-2 x=5 b=3 --quiz
    """
    _expect_expression(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write a page: FILE.html")
    asks = "write a page that asks for the gradients, and print none (default: -o quiz.html)"
    parser.add_argument("--quiz", action="store_true", help=asks)

    def run(parsed: Namespace) -> None:
        result = expression(parsed.expression, numbers_in(parsed.numbers))
        output = parsed.output or "quiz.html" * parsed.quiz
        if output:
            stepper.step(result, quiz=parsed.quiz).save(output)
        print("forward", *forward_steps(result), sep="\n")
        if not parsed.quiz:
            name = Graph(result, products=False).names[result]
            print("backward", f"∂{name}/∂{name} = 1", *backward_steps(result), sep="\n")
        if output:
            print(f"wrote {output}")

    return run


def explain(parser: ArgumentParser) -> Run:
    """Derive one gradient of an expression, factor by factor.

    The name after the expression is the value to differentiate with respect to.  The last line
    checks the gradient by a finite difference.

    examples:
      micrograd-lab explain "w*x + b" w w=-2 x=5 b=3
      micrograd-lab explain "g = tanh(w*x); f = g*g + g" g w=0.5 x=2 --latex
    """
    _expect_expression(parser, wrt=True)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="an aligned environment")
    form.add_argument("--markdown", action="store_true", help="nested lists")

    def run(parsed: Namespace) -> None:
        words = [parsed.wrt, *parsed.numbers]
        name, *numbers = sorted(words, key=lambda word: "=" in word)
        if "=" in name:
            example = f'"{parsed.expression}" {name.partition("=")[0]} {" ".join(words)}'
            raise ValueError(f"name the value to explain, as in: explain {example}")
        result = expression(parsed.expression, numbers_in(numbers))
        nodes = {name: node for node, name in Graph(result, products=False).names.items()}
        if name not in nodes:
            raise ValueError(f"there is no {name} here; there are {', '.join(nodes)}")
        text = derivation(result, nodes[name])
        print(text.latex if parsed.latex else text.markdown if parsed.markdown else text)

    return run


def train(parser: ArgumentParser) -> Run:
    """Train a network on a data set, save it, and draw its decision boundary.

    Prints the accuracy on the training samples and on a fifth that it never saw.  Writes
    NAME.safetensors, and NAME.svg with the boundary and the loss of each epoch.  Ctrl-C ends the
    training early and saves the network as it is.

    examples:
      micrograd-lab train moons --hidden 16 16 --epochs 200
      micrograd-lab train xor --hidden 2 --activation tanh --lr 0.1
      micrograd-lab train digits --hidden 32 --epochs 10 --batch-size 32
    """
    add = parser.add_argument
    add("data", choices=("moons", "circles", "spirals", "digits", *GATES))
    layers = "neurons of each hidden layer (default: 16 16)"
    add("--hidden", type=int, nargs="*", default=[16, 16], metavar="N", help=layers)
    add("--activation", default="relu", help="of hidden layers (default: %(default)s)")
    add("--epochs", type=int, default=200, help="default: %(default)s")
    add("--lr", type=float, default=0.02, help="of Adam (default: %(default)s)")
    add("--batch-size", type=int, metavar="N", help="default: all in one batch")
    add("--seed", type=int, default=1, help="default: %(default)s")
    add("-o", "--output", metavar="NAME", help="files without suffix (default: the data's name)")

    def run(parsed: Namespace) -> None:
        digits, seed, unseen = parsed.data == "digits", parsed.seed, None
        if parsed.data in GATES:
            learned = nn.gate(parsed.data)
        else:
            whole = nn.digits() if digits else getattr(nn, parsed.data)(400, seed=seed)
            learned, unseen = whole.split(0.2, seed=seed)
        loss = nn.cross_entropy if digits else nn.binary_cross_entropy
        sizes = [*parsed.hidden, 10 if digits else 1]
        model = nn.MLP(len(learned.inputs[0]), sizes, activation=parsed.activation, seed=seed)
        adam = nn.Adam(model.parameters(), lr=parsed.lr)
        chosen = {name: vars(parsed)[name] for name in ("epochs", "batch_size", "seed")}
        history = nn.fit(model, *learned, loss=loss, optimizer=adam, validation=unseen, **chosen)
        name = parsed.output or parsed.data
        nn.save(model, f"{name}.safetensors")
        if history.loss:
            picture = history.plot() if digits else drawing.plot_training(model, *learned, history)
            picture.save(f"{name}.svg")
        print(f"{history}, {len(model.parameters())} parameters")
        for samples, which in ((learned, "learned from"), (unseen, "never seen")):
            if samples:
                part = nn.accuracy(model, *samples, loss=loss)
                print(f"accuracy {part:.1%} on {len(samples.inputs)} samples {which}")
        print(f"wrote {name}.safetensors" + f" and {name}.svg" * bool(history.loss))

    return run


def play(parser: ArgumentParser) -> Run:
    """Open the playground: type an expression, change its numbers, step, train.

    The page is at an address of this machine that no other can reach, and this Python answers it.
    Ctrl-C ends it.

    examples:
      micrograd-lab play
      micrograd-lab play --port 8000 --no-browser
    """
    parser.add_argument("--port", type=int, default=0, help="of the address (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address alone")

    def run(parsed: Namespace) -> None:
        from .playground.server import play as serve

        serve(parsed.port, opens=not parsed.no_browser)

    return run


COMMANDS: dict[str, Callable[[ArgumentParser], Run]] = {
    command.__name__: command for command in (lecture, draw, step, explain, train, play)
}

_EXAMPLES = """\
examples:
  micrograd-lab lecture
  micrograd-lab draw "w*x + b" w=-2 x=5 b=3 -o f.svg
  micrograd-lab COMMAND --help
"""

_SIGNS = {
    "∂": "d", "−": "-", "×": "*", "÷": "/", "·": "*", "√": "sqrt", "∞": "inf", "≈": "~", "≠": "!=",
    "≤": "<=", "≥": ">=", "→": "->", "←": "<-", "′": "'", "│": "|", "⋮": ":", "⁄": "/",
}  # fmt: skip


def _legible(error: UnicodeError) -> tuple[str, int]:
    """In place of signs that an encoding lacks: ones that it has; `?` for other letters."""
    assert isinstance(error, UnicodeEncodeError)
    text = ""
    for sign in re.sub("([⁰¹²³⁴⁵⁶⁷⁸⁹⁻ʸ]+)", r"^\1", error.object[error.start : error.end]):
        plain = "".join(_SIGNS.get(x, x) for x in unicodedata.normalize("NFKC", sign))
        name = unicodedata.name(sign, "")
        if greek := re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", name):
            plain = greek[2].lower() if greek[1] == "SMALL" else greek[2].title()
        text += plain if plain.isascii() else "?"
    return text, error.end


codecs.register_error("legible", _legible)


def _expect_expression(parser: ArgumentParser, *, wrt: bool = False) -> None:
    """The arguments of a command on an expression."""
    add = parser.add_argument
    add("expression", help='such as "w*x + b", in Python\'s notation')
    if wrt:
        add("wrt", metavar="NAME", help="differentiate with respect to this name")
    told, shown = "one for each name", "NAME=NUMBER"
    numbers = add("numbers", nargs="*", default=[], metavar=shown, help=told)
    vars(numbers)["completer"] = _missing_numbers


def _missing_numbers(prefix: str, parsed_args: Namespace, **_: object) -> list[str]:
    """What a shell may complete after an expression: its names that have no number yet."""
    text = parsed_args.expression
    known = [word.partition("=")[0] for word in parsed_args.numbers]
    with suppress(ValueError):  # of a text that is not understood
        return [f"{name}=" for name in names_read(text) if name not in known]
    return []


def _parse(words: list[str]) -> Namespace:
    """The options of a command line, and as `run` the function to call with them."""
    raw = RawDescriptionHelpFormatter
    parser = _OneLineParser(prog="micrograd-lab", epilog=_EXAMPLES, formatter_class=raw)
    parser.description = "See every scalar of backpropagation."
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        told = inspect.getdoc(command) or ""
        short = told.partition(".\n")[0]
        subparser = commands.add_parser(name, help=short, description=told, formatter_class=raw)
        subparser.set_defaults(run=command(subparser), program=subparser.prog)
    if "_ARGCOMPLETE" in os.environ:  # a shell asks for what could follow, and reads no errors
        with suppress(ImportError):
            from argcomplete import autocomplete

            autocomplete(parser)
    if words and words[0] in commands.choices:
        # an expression that begins with a minus is no option after a space
        rest = [re.sub(r"^-(?![-oh]).*[-+*/(]", r" \g<0>", word) for word in words[1:]]
        # options may stand anywhere between the arguments, which parse_args does not allow
        return commands.choices[words[0]].parse_intermixed_args(rest)
    return parser.parse_args(words or ["--help"])


class _OneLineParser(ArgumentParser):
    """A parser that answers a wrong argument with one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_fail(self.prog, f"{message}; see {self.prog} --help"))


def _fail(program: str, message: str) -> int:
    """Print an error on one line; its exit code."""
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr)
    return 2
