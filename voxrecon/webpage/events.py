# SPDX-License-Identifier: MIT
"""What happens on the page: values of its parts in, values of its parts out."""

from __future__ import annotations

import base64
import html
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cv2
import gradio as gr

from voxrecon.apis.reconstruction import MeshKind
from voxrecon.captures.cutouts import Background, Cutout
from voxrecon.errors import VoxreconError
from voxrecon.visualization.alpha import on_white

from .session import Session, Workshop, describe, describe_view, list_examples, mean_shares

GONE = "There is no result, or it was removed after an hour: reconstruct first."


class Events:
    """The page's events; each is one visitor's, whose session comes in and goes out."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop

    def reconstruct(
        self,
        photos: list[str] | None,
        background: Background,
        threshold: float,
        mesh: MeshKind,
        session: Session | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (gradio finds it there)
    ) -> tuple[Any, ...]:
        """Message, model, crops, downloads, session."""
        try:
            new = self.workshop.reconstruct(
                photos or [],
                background,
                lambda done, of: progress((done, of), desc="Cutting out", unit="photos"),
            )
        except VoxreconError as error:
            close(session)
            return warn(error), None, "", gr.update(visible=False), None
        message, model = self.show_model(new, threshold, mesh)
        crops = f'<div class="crops">{"".join(map(show_view, new.result.views))}</div>'
        close(session)  # not before: until the end other events come with it
        return message, model, crops, gr.update(visible=True), new

    def show_model(
        self, session: Session | None, threshold: float, mesh: MeshKind
    ) -> tuple[str, str | None]:
        """Message and model; the network is not run."""
        return self.make_file("glb", session, threshold, mesh)

    def make_file(
        self, suffix: str, session: Session | None, threshold: float, mesh: MeshKind
    ) -> tuple[str, str | None]:
        """Message and the path of a file of that type, None if there can be none."""
        if session is None:
            return warn(GONE), None
        try:
            message = describe(session.result, threshold)
            return message, str(session.write(suffix, threshold, mesh))
        except VoxreconError as error:
            return warn(error), None

    def draw_scores(self, session: Session | None, threshold: float) -> tuple[Any, ...]:
        """The section on contributions, each view's mean share, and the picture."""
        shares = mean_shares(session.result, threshold) if session else None
        if shares is None:
            return gr.update(visible=False), "", None
        parts = (f"<b>{html.escape(name)}</b> {share:.0%}" for name, share in shares)
        text = f"<p>Mean share in the occupied voxels: {', '.join(parts)}</p>"
        return gr.update(visible=True), text, session.result.at(threshold).scores_picture()

    def copy_example(self, name: str) -> list[str]:
        """Photos of an example, where the page may read them."""
        folder = Path(tempfile.mkdtemp(dir=self.workshop.folder))
        return [shutil.copy(path, folder) for path in list_examples()[name]]


def warn(message: object) -> str:
    """A message that something is wrong."""
    return f"⚠ {message}"


def show_view(view: Cutout) -> str:
    """A photo as the network sees it, and what removed its background."""
    _, data = cv2.imencode(".png", on_white(view.picture)[..., ::-1])
    picture = base64.b64encode(data).decode()
    name, how = html.escape(view.name), html.escape(describe_view(view))
    kind = "warning" if view.cropped else ""
    return (
        f'<figure><img src="data:image/png;base64,{picture}" alt="{name}">'
        f'<figcaption class="{kind}"><b>{name}</b><br>{how}</figcaption></figure>'
    )


def close(session: Session | None) -> None:
    """Forget a result."""
    if session is not None:
        session.close()
