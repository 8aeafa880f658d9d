# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
import pytest

from voxrecon.datasets import AddClutter
from voxrecon.errors import ConfigError


def pictures(views: int = 40) -> np.ndarray:
    """An opaque square of one colour in the middle of nothing."""
    images = np.zeros((views, 32, 32, 4), np.uint8)
    images[:, 8:24, 8:24] = (7, 8, 9, 255)
    return images


def clutter(seed: int = 0, **args) -> np.ndarray:
    results = {"images": pictures(), "rng": np.random.default_rng(seed)}
    return AddClutter(**args)(results)["images"]


def test_what_is_behind_leaves_the_object_alone():
    images = clutter(behind=(3, 3), before=(0, 0))
    assert np.array_equal(images[:, 8:24, 8:24], pictures()[:, 8:24, 8:24])
    filled = images[..., 3] == 255
    assert filled.sum() > 40 * 16 * 16
    assert (images[~filled] == 0).all()


def test_what_is_before_covers_one_rectangle_of_the_size_asked_for():
    images = clutter(behind=(0, 0), before=(1, 1), size=(0.25, 0.5))
    places = set()
    for image, clean in zip(images, pictures(), strict=True):
        rows, columns = np.nonzero((image != clean).any(-1))
        patch = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (patch == patch[0, 0]).all() and patch[0, 0, 3] == 255
        assert all(8 <= side <= 16 for side in patch.shape[:2])
        places.add((rows.min(), columns.min()))
    assert len(places) > 30  # each view has its own


def test_the_generator_decides():
    assert np.array_equal(clutter(seed=3), clutter(seed=3))
    assert not np.array_equal(clutter(seed=3), clutter(seed=4))


@pytest.mark.parametrize("bad", [{"behind": (3, 2)}, {"before": (-1, 2)}, {"size": (0.5, 1.5)}])
def test_what_does_not_fit_is_refused(bad):
    with pytest.raises(ConfigError, match="expected"):
        AddClutter(**bad)
