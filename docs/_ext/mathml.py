"""Formulas as MathML, which browsers typeset themselves: no script, no font from elsewhere."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.math import wrap_displaymath

LACKING = {  # by docutils, as patterns: other words for it
    r"≈": r"\\approx ",
    r"\\dots\b": r"\\ldots",
    r"\\tfrac(\d)(\d)": r"\\frac{\1}{\2}",
    r"\\\\\[[\d.]+em\]": r"\\\\",  # the distance of two lines
    r"(\w) \\(ln|operatorname)\b": r"\1\\,\\\2",  # the space before the name of a function
}
log = logging.getLogger(__name__)


def convert(node, latex, *, block):
    """The MathML of a formula; a formula that cannot be read is a warning."""
    for command, known in LACKING.items():
        latex = re.sub(command, known, latex)
    try:
        formula = tex2mathml(latex, as_block=block)
    except MathError as error:
        log.warning("%s in the formula %s", error, latex, location=node)
        return ""
    return re.sub(r"<mo>([()|])</mo>", r'<mo lspace="0em" rspace="0em">\1</mo>', formula)


def inline(writer, node):
    """Write a formula within a line, which may end within it."""
    formulas = (convert(node, part, block=False) for part in parts(node.astext()))
    writer.body.append(" ".join(formulas))
    raise nodes.SkipNode


def parts(latex):
    """The formula up to each = and × that no braces enclose: a browser breaks none itself."""
    depth = start = 0
    for found in re.finditer(r"[{}]|\\(?:left|right)\b| = | \\times ", latex):
        sign, place = found[0], found.start()
        depth += (sign in ("{", "\\left")) - (sign in ("}", "\\right"))
        if sign.startswith(" ") and not depth and place:
            yield latex[start:place]
            start = place
    yield latex[start:]


def display(writer, node):
    """Write a formula on lines of its own."""
    latex = node.astext()
    if "\\begin{" not in latex and "\\\\" in latex:
        latex = wrap_displaymath(latex, None, False)
    writer.body.append(f'<div class="formula">{convert(node, latex, block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
