# SPDX-License-Identifier: MIT
"""Parity with the original networks: volumes computed by them in float64 from the same weights."""

from __future__ import annotations

import os
from pathlib import Path

import golden_weights
import numpy as np
import pytest
import torch
from shrink import ROOT

from voxrecon.apis import init_model
from voxrecon.cli.convert_pix2vox import convert

DATA = Path(__file__).parents[1] / "data" / "golden"


@pytest.fixture(scope="module", params=["pix2vox_f", "pix2voxpp_a"])
def golden(request, tmp_path_factory):
    """Vectors, and the network with the golden weights, converted from the authors' layout."""
    folder = tmp_path_factory.mktemp("golden")
    parts = golden_weights.checkpoint(DATA / f"{request.param}.keys.json")
    source = {
        f"{part}_state_dict": {f"module.{k}": torch.from_numpy(v) for k, v in tensors.items()}
        for part, tensors in parts.items()
    }
    torch.save(source, folder / "source.pth")
    config = ROOT / "configs" / f"{request.param}.py"
    convert(str(config), str(folder / "source.pth"), str(folder / "ours.safetensors"))
    model = init_model(config, folder / "ours.safetensors")
    return np.load(DATA / f"{request.param}.npz"), model


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("views", [1, 3])
def test_volumes_equal_the_originals(golden, views, threads):
    vectors, model = golden
    assert sum(p.numel() for p in model.parameters()) == vectors["n_params"]
    x = torch.from_numpy(golden_weights.images(100 + views, (2, views, 3, 224, 224)))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            state = model.encode(x)
            out = model.fuse(state)
            assert torch.equal(model(x), out["volume"])
    finally:
        torch.set_num_threads(before)
    for key, ours in (
        ("coarse", state["coarse"]),
        ("fused", out["fused"]),
        ("refined", out["volume"]),
    ):
        if f"{key}_v{views}" in vectors:
            assert np.abs(ours.numpy() - vectors[f"{key}_v{views}"]).max() < 1e-5, key


def test_real_chair(golden):
    """From PNG files to intersections and unions, against the original transforms and network."""
    vectors, model = golden
    root = os.environ.get("VOXRECON_TEST_DATA")
    if not root or "refined_v1" in vectors:
        pytest.skip("needs VOXRECON_TEST_DATA, and the network of the vector")
    from voxrecon.datasets import R2N2Dataset
    from voxrecon.evaluation import intersection_union

    chair = np.load(Path(root).parent / "golden" / "pix2vox_f_chair.npz")
    pipeline = [{"type": t} for t in ("LoadViews", "LoadVoxels", "CropViews", "PackVoxelInputs")]
    dataset = R2N2Dataset(
        str(Path(root) / "r2n2_chairs"), split="test", pipeline=pipeline, n_views=3, test_mode=True
    )
    ids = [dataset.get_data_info(i)["id"] for i in range(len(dataset))]
    sample = dataset[ids.index("1a8bbf2994788e2743e99e0cae970928")]
    images = model.data_preprocessor.prepare(sample["inputs"]["images"][None])
    assert np.abs(images[0].numpy() - chair["images"]).max() < 5e-5
    with torch.no_grad():
        volume = model(images)
    assert np.abs(volume[0].numpy() - chair["fused"]).max() < 1e-5
    truth = sample["inputs"]["voxels"]
    bits = np.unpackbits(chair["voxel"])[: 32**3].reshape(32, 32, 32)
    assert np.array_equal(truth.numpy(), bits)
    thresholds = (0.2, 0.3, 0.4, 0.5)
    ours = intersection_union(volume, truth[None], thresholds)
    theirs = intersection_union(torch.from_numpy(chair["fused"])[None], truth[None], thresholds)
    iou = theirs[0].double() / theirs[1]
    assert np.abs(iou[0].numpy() - chair["iou"]).max() < 1e-6
    for k, threshold in enumerate(thresholds):  # equal, but for voxels within 1e-5 of the threshold
        close = int((np.abs(chair["fused"] - threshold) < 1e-5).sum())
        for a, b in zip(ours, theirs, strict=True):
            assert abs(int(a[0, k]) - int(b[0, k])) <= close
