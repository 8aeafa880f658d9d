# SPDX-License-Identifier: MIT
import cv2
import numpy as np
import pytest

from voxrecon.datasets import AddBackground
from voxrecon.errors import ConfigError, SampleError

VIEWS = np.random.default_rng(1).integers(0, 256, (3, 12, 16, 4), np.uint8)


@pytest.fixture
def photos(tmp_path):
    """One photo a folder, of which red is the column, green the row, blue the photo."""
    y, x = np.mgrid[:50, :60]
    for number, name in enumerate(("b.png", "a/deep/c.PNG")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.dstack([np.full_like(x, number), y, x]).astype(np.uint8)
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    (tmp_path / "notes.txt").write_text("no photo")
    return tmp_path


def add(folder, views, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    return AddBackground(str(folder), **kwargs)({"images": views.copy(), "rng": rng})["images"]


def test_crops_behind_the_object(photos):
    clear = VIEWS.copy()
    clear[..., 3] = 0
    behind = add(photos, clear)
    assert (behind[..., 3] == 255).all()
    places = set()
    for view in behind:
        left, top, photo = (int(v) for v in view[0, 0, :3])
        assert 0 <= left <= 60 - 16 and 0 <= top <= 50 - 12 and photo in (0, 1)
        assert (view[..., 0] == left + np.arange(16)).all()
        assert (view[..., 1] == top + np.arange(12)[:, None]).all()
        places.add((left, top))
    assert len(places) == 3  # each view has its own
    # the result is the blend of that and the object
    alpha = VIEWS[..., 3:] / 255
    expected = alpha * VIEWS[..., :3] + (1 - alpha) * behind[..., :3]
    assert np.abs(add(photos, VIEWS)[..., :3] - expected).max() < 0.5 + 1e-9


def test_opaque_and_without(photos):
    opaque = VIEWS.copy()
    opaque[..., 3] = 255
    assert (add(photos, opaque) == opaque).all()
    assert (add(photos, VIEWS, probability=0.0) == VIEWS).all()
    changed = [
        (add(photos, VIEWS, seed, probability=0.5) != VIEWS).any((1, 2, 3)) for seed in range(40)
    ]
    assert 40 < np.sum(changed) < 80 and {int(c.sum()) for c in changed} == {0, 1, 2, 3}


def test_the_order_of_photos_is_sorted(photos):
    paths = AddBackground(str(photos)).paths
    assert [p[len(str(photos)) + 1 :] for p in paths] == ["a/deep/c.PNG", "b.png"]
    assert (add(photos, VIEWS, 4) == add(photos, VIEWS, 4)).all()


def test_small_photos_cover_the_view(tmp_path):
    for width, height in ((3, 2), (4096, 1), (16, 4)):
        image = np.full((height, width, 3), (30, 20, 10), np.uint8)
        (tmp_path / "a.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        clear = np.zeros_like(VIEWS)
        assert (add(tmp_path, clear) == (10, 20, 30, 255)).all()


def test_no_photos(tmp_path):
    with pytest.raises(ConfigError, match="AddBackground folder .*/none: no such folder of photos"):
        AddBackground(str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="no photos, expected JPEG or PNG"):
        AddBackground(str(tmp_path))
    (tmp_path / "a.jpg").write_text("no photo")
    with pytest.raises(SampleError, match="a.jpg: starts with b'no photo"):
        add(tmp_path, VIEWS)
    with pytest.raises(ConfigError, match="probability 2, expected 0 to 1"):
        AddBackground(str(tmp_path), probability=2)
