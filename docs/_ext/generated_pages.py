# SPDX-License-Identifier: MIT
"""Fills in what is made when the site is built, and turns links to files of the repository, which
the site does not have, into links within it.

A page names what it wants as ``<!-- generated: KIND ARGUMENT -->``:

- ``readme FILE``: a file of the repository;
- ``models``: every config of the metafiles;
- ``commands``: every command.
"""

from __future__ import annotations

import re
from pathlib import Path

from commands_page import commands_page
from models_page import model_files, models_page
from repository_links import mend_links
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
MARKER = re.compile(r"<!-- generated: (\w+)(?: (\S+))? -->")


def fill_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """A page as it is in the site, in place of its text."""
    page = Path(app.srcdir, f"{docname}.md")

    def generate(match: re.Match) -> str:
        kind, argument = match.groups()
        if kind == "readme":
            app.env.note_dependency(str(ROOT / argument))
            return mend_links((ROOT / argument).read_text(), ROOT / argument, page, ROOT)
        if kind == "models":
            for path in model_files(ROOT):
                app.env.note_dependency(str(path))
            return models_page(ROOT)
        if kind == "commands":
            app.env.note_reread()  # it depends on all of voxrecon.cli
            return commands_page()
        raise ValueError(f"{page}: generated: {kind}, expected readme, models or commands")

    if page.is_file():
        text = mend_links(source[0], page, page, ROOT)
        source[0] = MARKER.sub(generate, text)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_page)
    return {"parallel_read_safe": True}
