# SPDX-License-Identifier: MIT
"""The web page in a browser, on an object without symmetry whose probabilities are known."""

from __future__ import annotations

import copy
import shutil

import cv2
import numpy as np
import pytest
import torch
import trimesh
from conftest import running

from voxrecon.webpage.session import Limits, Workshop

pytestmark = pytest.mark.slow
pytest.importorskip("gradio", reason="needs gradio")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
if BROWSER is None:
    pytest.skip(f"needs a browser, one of {', '.join(NAMES)}", allow_module_level=True)
SOFTWARE_3D = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
GRID = 32
SHOWN = "#viewer canvas[data-shown*='.glb']"


def probabilities() -> np.ndarray:
    """A trunk, two different arms and a foot, each less probable than the one before."""
    volume = np.zeros((GRID, GRID, GRID), np.float32)
    volume[4:28, 2:12, 20:22] = 0.2
    volume[12:26, 12:18, 16:22] = 0.4
    volume[4:12, 24:30, 6:11] = 0.4
    volume[8:18, 4:29, 10:18] = 0.9
    return volume


@pytest.fixture(scope="module")
def workshop(inferencer, tmp_path_factory):
    """The tiny network, but for what it gives; ``workshop.runs`` counts how often it ran."""
    fake = copy.copy(inferencer)

    def forward(tasks):
        workshop.runs += 1
        count = len(tasks[0].views)
        volume = torch.from_numpy(probabilities())[None]
        scores = torch.zeros(1, count, GRID, GRID, GRID)
        scores[:, 0] = np.log(2)  # the first view counts as much as two others
        return {
            "volume": volume,
            "coarse": volume[:, None].repeat(1, count, 1, 1, 1),
            "scores": scores,
        }

    fake.forward = forward
    workshop = Workshop(fake, tmp_path_factory.mktemp("sessions"), Limits(photos=5, megabytes=0.1))
    workshop.runs = 0
    return workshop


@pytest.fixture(scope="module")
def address(workshop):
    with running(workshop) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        yield p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", *SOFTWARE_3D])


@pytest.fixture
def faults():
    """Errors in the browser, and requests to other machines; there may be none in the end."""
    faults = []
    yield faults
    assert faults == []


@pytest.fixture
def page(browser, address, faults):
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.set_default_timeout(30_000)
    page.on("console", lambda m: m.type == "error" and faults.append(m.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    inside = (address, "data:", "blob:")
    page.on("request", lambda r: r.url.startswith(inside) or faults.append(r.url))
    page.goto(address)
    yield page
    # shown where a test has failed
    print("message:", message(page), "| shown:", page.get_attribute("#viewer canvas", "data-shown"))
    page.close()


def reconstruct(page, paths) -> None:
    page.set_input_files("#photos input[type=file]", paths)
    page.locator("#photos tr.file").nth(len(paths) - 1).wait_for()  # others are being uploaded
    page.click("#run")


def silhouette(page) -> np.ndarray:
    """What the viewer shows, (H, W) bool."""
    values = page.evaluate(
        """() => {
            const canvas = document.querySelector("#viewer canvas");
            const copy = document.createElement("canvas");
            [copy.width, copy.height] = [canvas.width, canvas.height];
            const context = copy.getContext("2d");
            context.drawImage(canvas, 0, 0);
            const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
            const seen = [];
            for (let i = 3; i < pixels.length; i += 4) seen.push(pixels[i] > 127 ? "1" : "0");
            return [copy.width, seen.join("")];
        }"""
    )
    return (np.frombuffer(values[1].encode(), np.uint8) == ord("1")).reshape(-1, values[0])


def framed(mask: np.ndarray) -> np.ndarray:
    """What is in the box around a mask, (128, 128) bool."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    return cv2.resize(mask, (128, 128), interpolation=cv2.INTER_AREA) > 0.5


def likeness(page, result, azimuth: float, elevation: float) -> float:
    """IoU of what the viewer shows and the picture of the object from there."""
    picture = result.picture(azimuth, elevation, 400)
    a, b = framed(silhouette(page)), framed((picture < 255).any(axis=2))
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def drag(page, right: float, down: float) -> None:
    box = page.locator("#viewer canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def slide(page, value: float) -> float:
    """Move the slider; milliseconds until the viewer shows what follows."""
    return page.evaluate(
        """(value) => new Promise((done) => {
            const slider = document.querySelector("#threshold input[type=range]");
            const begin = performance.now();
            const canvas = document.querySelector("#viewer canvas");
            new MutationObserver((_, observer) => {
                observer.disconnect();
                done(performance.now() - begin);
            }).observe(canvas, { attributeFilter: ["data-shown"] });
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        })""",
        value,
    )


def message(page) -> str:
    return page.input_value("#message textarea")


def occupied_line(threshold: float) -> str:
    count = int((probabilities() >= threshold).sum())
    return f"{count:,} of 32³ voxels are occupied at threshold {threshold:g}."


def shown_after(page, change) -> None:
    """Change something, and wait until the viewer shows another mesh."""
    before = page.get_attribute("#viewer canvas", "data-shown")
    change()
    page.wait_for_function(
        """(before) => {
            const now = document.querySelector("#viewer canvas").dataset.shown;
            return now && now !== before;
        }""",
        arg=before,
    )


def download(page, suffix: str) -> str:
    with page.expect_download() as started:
        page.get_by_role("button", name=f"↓ {suffix}", exact=True).click()
    assert started.value.suggested_filename == f"object.{suffix}"
    return started.value.path()


def test_upload_turn_slide_and_download(page, workshop, photos, record_property):
    result = workshop.reconstruct(photos[:3]).result
    reconstruct(page, photos[:3])
    page.wait_for_selector(SHOWN)
    assert message(page) == occupied_line(0.3)
    ways = ("alpha", "GrabCut", "alpha")
    captions = page.locator("figcaption").all_inner_texts()
    assert captions == [f"photo{i}.png\nbackground by {way}" for i, way in enumerate(ways)]

    shown_after(page, lambda: page.get_by_label("boxes").check())
    assert likeness(page, result, 30, 25) > 0.97
    assert likeness(page, result, -30, 25) < 0.9  # so it is not mirrored
    drag(page, 100, -20)  # half a degree a pixel
    assert likeness(page, result, 80, 15) > 0.97

    runs = workshop.runs
    took = [slide(page, value) for value in (0.1, 0.7, 0.25, 0.6, 0.1)]
    record_property("milliseconds", took)
    print("slider:", " ".join(f"{each:.0f}" for each in took), "ms")
    assert message(page) == occupied_line(0.1)
    assert likeness(page, result.at(0.1), 80, 15) > 0.97  # the camera has stayed
    assert likeness(page, result.at(0.7), 80, 15) < 0.9

    path = download(page, "glb")
    mesh = trimesh.load(path, file_type="glb", force="mesh")
    expected = result.at(0.1).mesh("boxes")
    assert len(mesh.faces) == len(expected.faces)
    assert np.allclose(mesh.bounds, expected.bounds, atol=1e-6)
    assert np.abs(mesh.bounds).max() <= 0.5
    with np.load(download(page, "npz")) as arrays:
        assert np.array_equal(arrays["occupied"], probabilities() >= 0.1)
    assert workshop.runs == runs  # none of this asks the network again


def test_contributions(page, photos):
    section = page.get_by_text("What each photo contributed")
    assert section.count() == 0 or not section.is_visible()
    reconstruct(page, photos[:3])
    page.wait_for_selector("#scores img")
    text = "Mean share in the occupied voxels: photo0.png 50%, photo1.png 25%, photo2.png 25%"
    assert page.inner_text("#shares") == text
    assert page.evaluate("document.querySelector('#scores img').naturalWidth") > 500


def test_nothing_is_occupied(page, photos):
    reconstruct(page, photos[:1])
    page.wait_for_selector(SHOWN)
    slide(page, 0.95)
    expected = (
        "⚠ Nothing is occupied at threshold 0.95: the highest probability is 0.900. "
        "Lower the threshold."
    )
    assert message(page) == expected and not silhouette(page).any()
    slide(page, 0.9)
    assert message(page) == occupied_line(0.9) and silhouette(page).any()


def test_nothing_moves_when_photos_arrive(page, photos):
    """A click on its way would miss the button."""
    before = page.locator("#run").bounding_box()
    page.set_input_files("#photos input[type=file]", photos[:1])
    page.locator("#photos .file").first.wait_for()
    assert page.locator("#run").bounding_box() == before  # while they are uploaded
    page.locator("#photos tr.file").wait_for()
    assert page.locator("#run").bounding_box() == before


def test_example(page):
    page.get_by_role("button", name="rocking chair").click()
    page.wait_for_selector(SHOWN)
    assert page.locator("figcaption").count() == 3 and message(page) == occupied_line(0.3)


def test_bad_uploads_say_so(page, photos, tmp_path):
    name = "<img src=x onerror=alert(1)>${alert(2)}{{3}}"
    for bad, count, expected in (
        (f"{name}.png", 1, "not a picture, expected a JPEG, PNG or WEBP file"),
        ("text.jpg", 2, "⚠ text.jpg: not a picture, expected a JPEG, PNG or WEBP file"),
        (None, 6, "⚠ 6 photos, expected at most 5"),
        (None, 0, "⚠ no photos, expected 1 to 5 of one object"),
    ):
        paths = [*photos[: count - bool(bad)]]
        if bad:
            paths.append(tmp_path / bad)
            paths[-1].write_bytes(b"hello")
        if page.locator("#photos button[aria-label=Clear]").count():
            page.click("#photos button[aria-label=Clear]")
        if paths:
            reconstruct(page, paths)
        else:
            page.click("#run")
        page.wait_for_function(
            """(text) => document.querySelector("#message textarea").value.includes(text)""",
            arg=expected,
        )
        assert "\n" not in message(page)
    good = tmp_path / f"{name}.webp"
    cv2.imwrite(str(good), cv2.imread(str(photos[0]), cv2.IMREAD_UNCHANGED))
    reconstruct(page, [good])
    page.wait_for_selector(SHOWN)
    assert "alert(2)" in page.inner_text("figcaption")  # as text
    assert page.locator("figcaption img").count() == 0


def test_what_is_refused_before_it_is_sent(page, tmp_path, faults):
    large, text = tmp_path / "large.png", tmp_path / "text.txt"
    for path, size, expected in (
        (large, 2**20, 'File(s) exceed the maximum allowed size of 102.4 Kb: "large.png"'),
        (text, 10, "Invalid file type: text.txt. Only .png, .jpg, .jpeg, .webp, .heic, .heif"),
    ):
        with path.open("wb") as file:
            file.truncate(size)
        page.set_input_files("#photos input[type=file]", path)
        page.get_by_text(expected).wait_for()
        page.reload()
    faults.clear()  # the progress of an upload that there is not is asked for
