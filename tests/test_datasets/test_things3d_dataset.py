# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch
from photo_sets import make_solid, make_things3d, picture, write_splits

from voxrecon.datasets import SampleKey, Things3DDataset
from voxrecon.errors import FileError, SampleError

PIPELINE = [{"type": "LoadViews"}, {"type": "LoadVoxels"}, {"type": "PackVoxelInputs"}]
CHAIRS = {"03001627": {"train": ["m-1-s1", "m-1-s2", "m3-s"], "test": ["m2-s1"]}}


@pytest.fixture
def root(tmp_path):
    make_things3d(tmp_path)
    write_splits(tmp_path, **CHAIRS)
    return tmp_path


def test_a_model_in_a_room_is_a_sample(root):
    dataset = Things3DDataset(root, split="train", pipeline=PIPELINE)
    assert [dataset[i]["data_samples"].id for i in range(2)] == ["m-1-s1", "m-1-s2"]
    assert dataset.missing == [("03001627", "m3-s")]
    grid = root / "ShapeNetVox32" / "03001627" / "m3" / "model.binvox"
    assert dataset.metainfo["missing"] == [f"03001627/m3-s: no {grid}"]
    item = dataset[SampleKey(0, 2, 3, 7)]
    views = np.random.default_rng((7, 2, 0)).permutation(3).tolist()
    assert item["data_samples"].views == views
    for image, view in zip(item["inputs"]["images"], views, strict=True):  # not the clean ones
        assert (image[..., :3].numpy() == picture(view)[..., ::-1]).all()
    assert torch.equal(item["inputs"]["voxels"].bool(), torch.from_numpy(make_solid()))


def test_flat_grids_and_what_is_missing(root):
    tested = {"split": "test", "pipeline": PIPELINE, "test_mode": True}
    folder = root / "ShapeNetVox32" / "03001627" / "m2"
    (folder / "model.binvox").rename(folder.with_suffix(".binvox"))
    folder.rmdir()
    assert Things3DDataset(root, n_views=2, **tested)[0]["inputs"]["images"].shape[0] == 2
    with pytest.raises(SampleError, match="m2/s1: 2 renderings, 3 views asked for"):
        Things3DDataset(root, n_views=3, **tested)
    write_splits(root, **{"03001627": {"test": ["m2-s9", "m2"]}})
    with pytest.raises(SampleError, match="2 of 2 samples .*no .*/03001627/m2/s9"):
        Things3DDataset(root, **tested)
    with pytest.raises(FileError, match="ShapeNetVox64: no such data folder; put the renderings"):
        Things3DDataset(root, grid_size=64, **tested)
