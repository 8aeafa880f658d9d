# SPDX-License-Identifier: MIT
"""The site of the documentation; ``make docs`` builds it."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

from voxrecon import __version__  # noqa: E402

project = "voxrecon"
version = release = __version__
html_title = f"{project} {release}"
html_theme = "furo"
html_copy_source = False
html_show_copyright = False

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "generated_pages",
]
exclude_patterns = ["_build", "_ext"]
highlight_language = "text"  # of blocks that name none
myst_heading_anchors = 4

autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_ivar = True
python_use_unqualified_type_names = True
