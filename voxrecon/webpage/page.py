# SPDX-License-Identifier: MIT
"""What the web page looks like, and which part of it does what."""

from __future__ import annotations

import html
import os
from functools import partial
from pathlib import Path

import gradio as gr

from voxrecon.apis.inputs import SUFFIXES
from voxrecon.captures.cutouts import BACKGROUNDS
from voxrecon.sandbox import SERVERS

from .events import Events, close
from .session import FORMATS, Workshop, list_examples

THRESHOLD = 0.3
AT_ONCE = SERVERS  # visitors whose photos are read at the same time, none waiting for another's
WAITING = 16  # visitors in the queue
HOUR = 3600  # seconds after which what nobody uses is removed
VIEWER = """
<canvas data-cells="{}" tabindex="0" role="img" aria-label="Reconstruction"></canvas>
<p>Drag to turn, scroll to zoom, double-click for the first view.</p>
"""


def only_uploads(photos: gr.File) -> None:
    """Take paths as they are, to be checked by us, and fetch no file from an address for a client.

    The methods are replaced, since a class derived from one of gradio's writes a file beside this.
    """
    move = photos.async_move_resource_to_block_cache

    async def refuse_addresses(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error("an address, expected an uploaded photo", print_exception=False)
        return await move(path)

    photos.async_move_resource_to_block_cache = refuse_addresses
    photos.preprocess = lambda payload: [file.path for file in payload or []]


def build_page(workshop: Workshop, title: str) -> gr.Blocks:
    """The page of a network; ``title`` says which."""
    # what gradio keeps lies in our folder, and it reports nothing to anyone
    os.environ |= {"GRADIO_TEMP_DIR": str(workshop.folder), "GRADIO_ANALYTICS_ENABLED": "False"}
    limits, events = workshop.limits, Events(workshop)
    with gr.Blocks(
        title="voxrecon", analytics_enabled=False, delete_cache=(HOUR // 6, HOUR)
    ) as page:
        gr.HTML(f"<h1>voxrecon</h1>A solid shape from photos of an object, by {html.escape(title)}")
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                photos = gr.File(
                    label=f"1 to {limits.photos} photos of one object, "
                    f"at most {limits.megabytes:g} MB each",
                    file_count="multiple",
                    file_types=list(SUFFIXES),
                    height=150,
                    elem_id="photos",
                )
                only_uploads(photos)
                with gr.Row(elem_id="examples"):
                    examples = {
                        name: gr.Button(name, icon=paths[0], size="sm", min_width=80)
                        for name, paths in list_examples().items()
                    }
                background = gr.Radio(
                    list(BACKGROUNDS), value="auto", label="Background", elem_id="background"
                )
                run = gr.Button("Reconstruct", variant="primary", elem_id="run")
                crops = gr.HTML(label="Crops", elem_id="crops")
            with gr.Column(scale=3, min_width=320):
                canvas = VIEWER.format(workshop.inferencer.model.grid_size)
                viewer = gr.HTML(canvas, elem_id="viewer")
                message = gr.Textbox(
                    label="Message",
                    show_label=False,
                    container=False,
                    interactive=False,
                    max_lines=3,
                    elem_id="message",
                )
                with gr.Row():
                    threshold = gr.Slider(
                        0.02,
                        0.98,
                        THRESHOLD,
                        step=0.01,
                        label="Threshold of probability",
                        buttons=[],
                        scale=3,
                        elem_id="threshold",
                    )
                    mesh = gr.Radio(
                        ["smooth", "boxes"],
                        value="smooth",
                        label="Surface",
                        scale=2,
                        elem_id="mesh",
                    )
                with gr.Row(elem_id="downloads", visible=False) as downloads:
                    buttons = {
                        suffix: gr.Button(f"↓ {suffix}", size="sm", min_width=60)
                        for suffix in FORMATS
                    }
        with gr.Accordion("What each photo contributed", visible=False) as contributions:
            shares = gr.HTML(label="Shares", elem_id="shares")
            scores = gr.Image(show_label=False, buttons=[], elem_id="scores")
        model = gr.File(label="Model", visible="hidden", interactive=False)
        file = gr.File(label="Download", visible="hidden", interactive=False)
        session = gr.State(None, time_to_live=HOUR, delete_callback=close)

        quiet = {"api_visibility": "private", "show_progress": "hidden"}
        reconstruct = {
            "fn": events.reconstruct,
            "inputs": [photos, background, threshold, mesh, session],
            "outputs": [message, model, crops, downloads, session],
            "concurrency_limit": AT_ONCE,
            "concurrency_id": "reconstruct",
            "show_progress_on": [viewer],
        }
        draw = {
            "fn": events.draw_scores,
            "inputs": [session, threshold],
            "outputs": [contributions, shares, scores],
            **quiet,
        }
        run.click(**reconstruct, api_name="reconstruct").then(**draw)
        for name, button in examples.items():
            chosen = button.click(partial(events.copy_example, name), None, photos, **quiet)
            chosen.then(**reconstruct, api_visibility="private").then(**draw)
        now = [session, threshold, mesh]
        for change in (threshold.input, mesh.input):
            change(
                events.show_model,
                now,
                [message, model],
                queue=False,
                trigger_mode="always_last",
                **quiet,
            )
        model.change(None, [model, mesh], js="voxrecon.show", api_visibility="private")
        threshold.release(**draw)
        for suffix, button in buttons.items():
            button.click(
                partial(events.make_file, suffix),
                now,
                [message, file],
                api_name=suffix,
                show_progress="hidden",
            ).success(None, file, js="voxrecon.save", api_visibility="private")
    return page.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)
