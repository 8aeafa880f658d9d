# SPDX-License-Identifier: MIT
"""The server of the web page."""

from __future__ import annotations

import socket
from pathlib import Path

import gradio as gr
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from voxrecon.errors import ConfigError

from .session import MEGABYTE, Limits

VISITORS = 200  # whose state is kept
HERE = Path(__file__).parent


def check_port(host: str, port: int) -> None:
    """ConfigError unless a server can listen there."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise ConfigError(
            f"--port {port}: {host} cannot be listened on: {error.strerror}, "
            "expected a free port of this machine"
        ) from error


class BoundedUploads:
    """Refuse requests that are larger than all photos of an object may be, before they are read."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.app
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "transfer-encoding" in headers:
                answer = PlainTextResponse("expected a request that says how long it is", 411)
            elif int(headers.get("content-length", 0)) > self.most:
                answer = PlainTextResponse(f"expected at most {self.most} bytes", 413)
        await answer(scope, receive, send)


def launch(page: gr.Blocks, host: str, port: int, limits: Limits) -> str:
    """Start the server in a thread of its own; it asks nothing of another machine.

    Returns:
        Its address.
    """
    system = ("system-ui", "sans-serif")
    size = int(limits.megabytes * MEGABYTE)
    most = limits.photos * size + MEGABYTE  # and what surrounds them
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        max_file_size=size,
        app_kwargs={"middleware": [Middleware(BoundedUploads, most=most)]},
        state_session_capacity=VISITORS,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        theme=gr.themes.Default(primary_hue="blue", font=system, font_mono="monospace"),
        css=(HERE / "page.css").read_text(),
        head=f"<script>{(HERE / 'viewer.js').read_text()}</script>",
    )
    return address
