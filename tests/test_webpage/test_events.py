# SPDX-License-Identifier: MIT
"""What happens on the page, without a server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voxrecon.errors import FileError
from voxrecon.webpage.session import Limits, Workshop

pytest.importorskip("gradio", reason="needs gradio")

from voxrecon.webpage.events import Events  # noqa: E402


@pytest.fixture
def events(inferencer, tmp_path):
    return Events(Workshop(inferencer, tmp_path, Limits(photos=5, megabytes=0.5)))


@pytest.fixture
def first(events, photos):
    """A session of the page, and a threshold that leaves a few cells occupied."""
    *_, session = events.reconstruct(photos[:1], "auto", 0.02, "boxes", None)
    return session, float(np.quantile(session.result.volume, 0.98))


def test_the_last_result_serves_until_the_next_is_there(events, first, photos, monkeypatch):
    """Who moves the slider or asks for a file meanwhile still comes with the last session."""
    session, threshold = first
    found, reconstruct = [], events.workshop.reconstruct

    def meanwhile(*args):
        new = reconstruct(*args)
        for suffix in ("glb", "npz"):
            found.append(events.make_file(suffix, session, threshold, "boxes"))
        found.append(events.show_model(session, threshold, "boxes"))
        return new

    monkeypatch.setattr(events.workshop, "reconstruct", meanwhile)
    *_, new = events.reconstruct(photos[1:2], "auto", threshold, "boxes", session)
    assert not any(message.startswith("⚠") for message, _ in found)
    assert [Path(path).suffix for _, path in found] == [".glb", ".npz", ".glb"]
    assert list(events.workshop.folder.iterdir()) == [new.folder]  # the last one's is removed


def test_the_last_result_serves_until_the_next_has_failed(events, first, photos, monkeypatch):
    session, threshold = first
    found = []

    def fail(*_):
        found.append(events.show_model(session, threshold, "boxes")[1])
        raise FileError("photo1.png: bad, expected good")

    monkeypatch.setattr(events.workshop, "reconstruct", fail)
    message, model, *_, none = events.reconstruct(photos, "auto", threshold, "boxes", session)
    assert found[0].endswith(".glb")
    assert (message, model, none) == ("⚠ photo1.png: bad, expected good", None, None)
    assert not list(events.workshop.folder.iterdir())
