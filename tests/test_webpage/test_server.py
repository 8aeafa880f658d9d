# SPDX-License-Identifier: MIT
"""The server of the web page: many visitors, unfriendly ones, and the command that starts it."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from commands import refusal
from conftest import running
from model_folders import make_model_folder
from shrink import ROOT

from voxrecon.cli import serve
from voxrecon.webpage.session import Limits, Workshop

pytestmark = pytest.mark.slow
pytest.importorskip("gradio", reason="needs gradio")

import httpx  # noqa: E402 (comes with gradio)
from gradio_client import Client, handle_file  # noqa: E402

from voxrecon.webpage.page import AT_ONCE, WAITING  # noqa: E402

VISITORS = 8


@pytest.fixture(scope="module")
def asked():
    """Addresses of other machines that this process has connected to."""
    asked, connect = [], socket.socket.connect

    def noting(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1"):
            asked.append(address)
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", noting)
        yield asked


@pytest.fixture(scope="module")
def workshop(inferencer, tmp_path_factory):
    return Workshop(inferencer, tmp_path_factory.mktemp("sessions"), Limits(5, 0.1))


@pytest.fixture(scope="module")
def address(workshop, asked):
    with running(workshop) as address:
        yield address


def visit(address, folder, photo) -> tuple[np.ndarray, np.ndarray]:
    """The volume that a visitor gets of a photo, now and when asked again."""
    client = Client(address, verbose=False, download_files=folder)
    _, model, _ = client.predict([handle_file(photo)], api_name="/reconstruct")
    assert model.endswith(".glb")
    volumes = []
    for _ in range(2):
        _, path = client.predict(api_name="/npz")
        with np.load(path) as arrays:
            volumes.append(arrays["volume"])
    return volumes


def test_visitors_at_once_get_their_own(address, inferencer, photos, tmp_path):
    expected = [inferencer(photo).volume for photo in photos[:VISITORS]]
    assert len({volume.tobytes() for volume in expected}) == VISITORS
    with ThreadPoolExecutor(VISITORS) as pool:
        calls = [
            pool.submit(visit, address, tmp_path / str(i), str(photos[i])) for i in range(VISITORS)
        ]
        found = [call.result() for call in calls]
    for volumes, volume in zip(found, expected, strict=True):
        assert all(np.array_equal(each, volume) for each in volumes)


def test_a_new_visitor_has_no_result(address, photos, tmp_path):
    visit(address, tmp_path, str(photos[0]))
    other = Client(address, verbose=False)
    message, path = other.predict(api_name="/npz")
    assert path is None and message.startswith("⚠ There is no result")


def start(address: str, name: str, data: list) -> httpx.Response:
    """Call as no browser does."""
    body = {"data": data, "session_hash": uuid.uuid4().hex}
    return httpx.post(f"{address}gradio_api/call/{name}", json=body)


def answer(address: str, name: str, started: httpx.Response) -> tuple[str, str]:
    """The event that ends a call, and its data."""
    url = f"{address}gradio_api/call/{name}/{started.json()['event_id']}"
    with httpx.stream("GET", url, timeout=60) as lines:
        for line in lines.iter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event in ("complete", "error"):
                return event, line.removeprefix("data: ")
    raise AssertionError("no answer")


def call(address: str, name: str, data: list) -> tuple[str, str]:
    return answer(address, name, start(address, name, data))


def upload(address: str, photo) -> dict:
    files = {"files": (photo.name, photo.read_bytes())}
    (path,) = httpx.post(f"{address}gradio_api/upload", files=files).json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def test_a_full_queue_says_so(address, workshop, photos):
    """While the network is busy some are let in, and answered later; the others are told."""
    data = [[upload(address, photos[0])], "auto", 0.3, "smooth"]
    let_in = []
    with workshop._network:
        while (started := start(address, "reconstruct", data)).status_code == 200:
            let_in.append(started)
            assert len(let_in) <= AT_ONCE + WAITING
    assert started.status_code == 503 and "Queue is full" in started.text
    assert len(let_in) >= WAITING
    assert {answer(address, "reconstruct", each)[0] for each in let_in} == {"complete"}


def test_large_requests_are_not_read(address):
    url = f"{address}gradio_api/upload"
    files = [("files", (f"{i}.png", bytes(90_000))) for i in range(20)]
    assert httpx.post(url, files=files).status_code == 413  # each is small enough
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    assert httpx.post(url, content=iter([b"--x"]), headers=boundary).status_code == 411
    large = httpx.post(url, files={"files": ("a.png", bytes(200_000))})
    assert large.status_code >= 400 and "exceeded maximum" in large.text


def test_no_file_of_the_machine_and_no_address_is_read(address, photos):
    for path in ("/etc/passwd", str(photos[0]), str(ROOT / "setup.py"), "http://127.0.0.1/a.png"):
        got = httpx.get(f"{address}gradio_api/file={path}", follow_redirects=False)
        assert got.status_code in (403, 404), path
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        event, data = call(address, "reconstruct", [[file], "auto", 0.3, "smooth"])
        assert event == "error" and str(photos[0].parent) not in data, (path, data)


def test_values_that_the_page_does_not_have(address):
    for data in (
        [None, "wrong", 0.3, "smooth"],
        [None, "auto", 7, "smooth"],
        [None, "auto", "x", "smooth"],
        [None, "auto", 0.3, "../../x"],
        ["x", "auto", 0.3, "smooth"],
        [{"path": None}, "auto", 0.3, "smooth"],
        [],
    ):
        event, answer = call(address, "reconstruct", data)
        assert event == "error" and "Traceback" not in answer, (data, answer)
    event, answer = call(address, "reconstruct", [[], "auto", 0.3, "smooth"])
    assert event == "complete"
    assert json.loads(answer)[:2] == ["⚠ no photos, expected 1 to 5 of one object", None]


def test_only_what_the_page_is_for_can_be_called(address):
    endpoints = httpx.get(f"{address}gradio_api/info").json()["named_endpoints"]
    kinds = ("glb", "obj", "stl", "ply", "binvox", "npz", "png", "gif")
    assert set(endpoints) == {"/reconstruct", *(f"/{kind}" for kind in kinds)}
    assert httpx.get(f"{address}monitoring").status_code in (403, 404)


def test_no_other_machine_was_asked(address, asked):
    assert asked == []


# --- the command


def test_bad_options(capfd, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        text = refusal(capfd, serve.main, "--port", port)
    assert text == (
        f"--port {port}: 127.0.0.1 cannot be listened on: Address already in use, "
        "expected a free port of this machine"
    )
    assert refusal(capfd, serve.main, "--port", 70000).startswith("--port 70000: expected 1 to")
    assert refusal(capfd, serve.main, "--max-photos", 0).startswith("--max-photos 0: expected 1 ")
    text = refusal(capfd, serve.main, "--host", "203.0.113.7")  # of nobody
    assert text.startswith("--port 7860: 203.0.113.7 cannot be listened on: ")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    expected = "gradio not installed: pip install 'voxrecon[demo]'"
    assert refusal(capfd, serve.main) == expected


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path):
    model = make_model_folder(tmp_path / "model", "configs/pix2voxpp_f.py")
    (tmp_path / "tmp").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code = "import sys, shrink; from voxrecon.cli.serve import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--model", model, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path / "tmp"),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "helpers"), str(ROOT))),
        },
    )
    try:
        assert process.stdout.readline() == f"the page: http://127.0.0.1:{port}/\n"
        assert process.stdout.readline() == "Ctrl-C stops it\n"
        assert "voxrecon" in httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text
        (folder,) = (tmp_path / "tmp").glob("voxrecon-*")
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, errors) == (0, "stopped\n", "")
    assert not folder.exists()
