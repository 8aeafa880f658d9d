# SPDX-License-Identifier: MIT
"""Links of the Markdown files, which work in a clone, as links that work in the site."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from models_page import read_metafiles

FENCE = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\[([^]]*)\]\(([^)\s]+)\)")


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with its parts between code blocks changed."""
    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, change(text[end:])])


def mend_links(text: str, source: Path, page: Path, root: Path) -> str:
    """The Markdown of ``source`` as part of the site's page ``page``.

    Pages and pictures of the site are linked to as they are seen from ``page``; configs, project
    folders and modules to where the site has them. Of other files the path is shown.
    """

    def mend(match: re.Match) -> str:
        label, target = match.groups()
        path, mark, anchor = target.partition("#")
        if ":" in target or not path:
            return match.group()
        path = Path(os.path.normpath(source.parent / path))
        place = find_place(path, root)
        if isinstance(place, Path):
            return f"[{label}]({os.path.relpath(place, page.parent)}{mark}{anchor})"
        if place:
            return f"[{label}]({place})"
        shown = os.path.relpath(path, root)
        return label if shown.endswith(label.strip("`")) else f"{label} (`{shown}`)"

    return outside_code(text, lambda part: LINK.sub(mend, part))


def find_place(path: Path, root: Path) -> Path | str:
    """Where the site has a file of the repository: a page or picture, or a target with an anchor,
    or "". A path that leads nowhere stays, for Sphinx to complain of.
    """
    docs = root / "docs"
    if docs in path.parents or not path.exists():
        return path
    inside = path.relative_to(root)
    if inside.as_posix() in {m["Config"] for _, models in read_metafiles(root) for m in models}:
        return f"/models.md#{path.stem}"
    folder = inside.parent if inside.name == "README.md" else inside
    if folder.parts[:1] == ("projects",) and len(folder.parts) <= 2:
        return docs / "projects" / f"{'index' if len(folder.parts) == 1 else folder.name}.md"
    module = ".".join(inside.with_suffix("").parts)
    if any(f"automodule:: {module}\n" in page.read_text() for page in docs.glob("api/*.md")):
        return f"#{module}"
    return ""
