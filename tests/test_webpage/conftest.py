# SPDX-License-Identifier: MIT
from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from model_folders import make_model_folder, make_photo

from voxrecon.apis import VoxelInferencer
from voxrecon.webpage.session import Workshop


@pytest.fixture(scope="session")
def inferencer(tmp_path_factory) -> VoxelInferencer:
    """A tiny network with random weights, on grids of 32."""
    folder = make_model_folder(tmp_path_factory.mktemp("model") / "tiny")
    return VoxelInferencer(folder, device="cpu")


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Ten photos, every other one with its background removed."""
    folder = tmp_path_factory.mktemp("photos")
    return [make_photo(folder / f"photo{i}.png", i, alpha=i % 2 == 0) for i in range(10)]


@contextmanager
def running(workshop: Workshop) -> Iterator[str]:
    """The address of a server of the page, on a free port."""
    from voxrecon.webpage.page import build_page
    from voxrecon.webpage.server import launch

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    page = build_page(workshop, "tiny")
    try:
        yield launch(page, "127.0.0.1", port, workshop.limits)
    finally:
        page.close(verbose=False)
