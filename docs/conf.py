"""How Sphinx builds the documentation: `make docs`, once for each language."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import generated

from babelet.core.startup import import_quietly
from babelet.version import __version__

# The API page imports it, and TensorFlow says much while it loads.
import_quietly("tensorflow")

project = "Babelet"
copyright = "the Babelet authors, Apache License 2.0"  # noqa: A001
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# The Chinese pages are a build of their own, with this file: -c docs -D language=zh_CN.
exclude_patterns = ["zh"]
# Links to headings: page.md#a-heading.
myst_heading_anchors = 3
# "--set" stays two hyphens.
smartquotes = False
# Pygments does not know all of Swift and Kotlin.
suppress_warnings = ["misc.highlighting_failure"]
# `name` in a docstring is code.
default_role = "code"
# The arguments stand in the docstring of __init__.
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# What Keras says of a method of its own is in Keras's documentation.
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
# Attributes are told once, as members or in the text of the class.
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"Babelet {release}"
html_static_path = ["_static"]
html_css_files = ["babelet.css"]
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_show_sourcelink = False
html_copy_source = False


def setup(app) -> None:  # noqa: ANN001
    """Connects the pages that are made from the code."""
    app.connect("source-read", generated.fill)
