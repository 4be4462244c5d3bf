"""KaTeX, which sets the formulas of many pages, takes whatever a label or a derivation holds."""

import json
import os
import random
import subprocess

import pytest
from labels import PIECES, TYPESET, WORDS

from micrograd_lab import Value, dot, explain, logsumexp, maximum, total
from micrograd_lab.ops import OPS
from micrograd_lab.tell.notation import label_latex

if not os.environ.get("KATEX"):
    pytest.skip("KATEX names no folder of KaTeX's", allow_module_level=True)
pytestmark = pytest.mark.slow

SCRIPT = """
const katex = require(process.env.KATEX);
const refused = [];
for (const text of JSON.parse(require("fs").readFileSync(0))) {
  try { katex.renderToString(text, { throwOnError: true, displayMode: true, strict: false }); }
  catch (error) { refused.push([text, error.message]); }
}
console.log(JSON.stringify(refused));
"""


def refused(texts):
    """Those that KaTeX does not take, with what it says."""
    done = subprocess.run(
        ["node", "-e", SCRIPT], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_any_label_can_be_set():
    generator = random.Random("labels")
    drawn = ["".join(generator.choices(PIECES, k=generator.randint(1, 9))) for _ in range(5000)]
    assert refused([label_latex(label) for label in [*TYPESET, *WORDS, *drawn]]) == []


def derivations(label):
    """How one value that is called `label` moves others of that name, for every operation."""
    x, y = Value(0.5, label), Value(0.7, f"{label}{label}")
    results = [getattr(x * y, op.name)() for op in OPS.values() if op.unary]
    results += [x + y, x - y, x / y, x**y, maximum(x, y), dot([x, y], [y, x], x), total([x, y])]
    results += [logsumexp([x, y])]
    for result in results:
        result.label = label
    return [explain(result * 2, x).latex for result in results]


def test_a_derivation_can_be_set_whatever_its_values_are_called():
    assert refused([text for label in [*TYPESET, *WORDS[:-2]] for text in derivations(label)]) == []
