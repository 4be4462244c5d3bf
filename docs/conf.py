"""How Sphinx builds the site: `nox -s docs`, or as CONTRIBUTING.md says."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import micrograd_lab
from micrograd_lab.drawing.themes import THEMES

project = "micrograd_lab"
author = "The micrograd_lab authors"
version = release = micrograd_lab.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "pages", "browser"]
exclude_patterns = ["_ext", "_static", "_templates", "browser"]
templates_path = ["_templates"]
default_role = "code"

html_theme = "furo"
html_title = "micrograd_lab"
html_favicon = "_static/icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_copyright = False
html_copy_source = html_show_sourcelink = False
html_sidebars = {  # furo's, and a link to the playground, which is no page of Sphinx's
    "**": [
        "sidebar/brand.html", "sidebar/search.html", "sidebar/scroll-start.html", "play.html",
        "sidebar/navigation.html", "sidebar/scroll-end.html",
    ]
}  # fmt: skip
html_theme_options = {
    "top_of_page_buttons": [],  # "view this page" has no answer for what is made
    "dark_css_variables": {"color-background-primary": THEMES["dark"].page},  # the pictures' own
}
pygments_dark_style = "github-dark"

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
linkcheck_ignore = [  # what is there as soon as the repository is public
    r"https://github\.com/micrograd-lab/micrograd-lab",
    r"https://img\.shields\.io/",
]
linkcheck_retries = 3

nb_execution_mode = "off"  # pages show what the notebooks keep, which the tests compare

add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True  # attributes that are properties have entries of their own
napoleon_custom_sections = ["Source"]
python_maximum_signature_line_length = 80
