# SPDX-License-Identifier: MIT
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, default_collate
from r2n2 import draw_view, make_grid, make_r2n2
from torch.utils.data import DataLoader

from voxrecon.datasets import R2N2Dataset, SampleKey, ViewBatchSampler
from voxrecon.errors import ConfigError, FileError, SampleError
from voxrecon.models.data_preprocessor import VoxelDataPreprocessor
from voxrecon.registry import DATASETS

TEST = [{"type": t} for t in ("LoadViews", "LoadVoxels", "CropViews", "PackVoxelInputs")]
TRAIN = [*TEST[:3], {"type": "DrawAugmentation"}, TEST[3]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    root = tmp_path_factory.mktemp("r2n2")
    return root, make_r2n2(root, n=5, views=6)


@pytest.fixture
def copy(shared, tmp_path):
    """A data set of one's own to break."""
    shutil.copytree(shared[0], tmp_path / "data")
    return tmp_path / "data"


def for_train(root, **kwargs):
    return R2N2Dataset(root, pipeline=TRAIN, **kwargs)


def for_test(root, **kwargs):
    return R2N2Dataset(root, split="test", pipeline=TEST, test_mode=True, **kwargs)


def key(sample):
    return sample.taxonomy, sample.id


def rendering(root, name, taxonomy="03001627"):
    return root / "ShapeNetRendering" / taxonomy / name / "rendering"


def equal(a, b):
    if isinstance(a, dict):
        return set(a) == set(b) and all(equal(a[k], b[k]) for k in a)
    return torch.equal(a, b)


# ---- items


def test_items_are_what_was_written(shared):
    root, keys = shared
    dataset = for_test(root, n_views=3)
    assert len(dataset) == 5 and dataset.missing == []
    assert dataset.metainfo["classes"] == {"03001627": "chair", "02691156": "aeroplane"}
    assert [key(dataset[i]["data_samples"]) for i in range(5)] == keys
    item = dataset[1]  # object_1 of the first class, the third object made
    voxels = make_grid(2)
    assert (item["inputs"]["voxels"].numpy() == voxels).all()
    images = item["inputs"]["images"]
    assert images.shape == (3, 128, 128, 4) and "augment" not in item["inputs"]
    for view in range(3):
        assert (images[view].numpy() == draw_view(voxels, view)[4:132, 4:132]).all()
    sample = item["data_samples"]
    assert (sample.name, sample.views, sample.broken) == ("chair", [0, 1, 2], [])


def test_objects_of_the_helper_are_asymmetric_and_distinct():
    grids = [make_grid(k) for k in range(6)]
    for grid in grids:
        turns = [np.rot90(grid, k, axes=(0, 2)) for k in range(4)]
        others = [*turns[1:], *(turn[:, :, ::-1] for turn in turns)]
        assert not any((grid == other).all() for other in others)
    assert len({grid.tobytes() for grid in grids}) == 6


def test_plain_index_means_first_views_in_any_mode(shared):
    for dataset in (for_train(shared[0], n_views=4), for_test(shared[0], n_views=4)):
        assert dataset[2]["data_samples"].views == [0, 1, 2, 3]
        assert equal(dataset[-1]["inputs"], dataset[4]["inputs"])
    with pytest.raises(IndexError):
        dataset[5]


def test_the_key_determines_views_and_augmentation(shared):
    dataset = for_train(shared[0])
    asked = SampleKey(index=1, epoch=2, n_views=3, seed=9)
    np.random.seed(1)
    first = dataset[asked]
    np.random.seed(2)
    again = dataset[asked]
    assert equal(first["inputs"], again["inputs"])
    assert first["data_samples"].views == again["data_samples"].views
    rng = np.random.default_rng((9, 2, 1))
    assert first["data_samples"].views == rng.permutation(6)[:3].tolist()
    low, high = rng.integers(225, 256, 3) / 255, first["inputs"]["augment"]["background"]
    assert np.allclose(low, high.numpy())  # the augmentation draws on
    for other in (asked._replace(epoch=3), asked._replace(seed=8), asked._replace(index=2)):
        assert not equal(first["inputs"]["augment"], dataset[other]["inputs"]["augment"])


def test_views_are_random_without_replacement_in_training_only(shared):
    root, _ = shared
    dataset, tested = for_train(root), for_test(root)
    drawn = [dataset[SampleKey(0, e, 4, 0)]["data_samples"].views for e in range(40)]
    assert all(len(set(views)) == 4 for views in drawn)
    assert {v for views in drawn for v in views} == set(range(6)) and len(
        set(map(tuple, drawn))
    ) > 30
    assert tested[SampleKey(0, 7, 4, 3)]["data_samples"].views == [0, 1, 2, 3]


def test_sorted_by_azimuth(copy):
    """The protocol selects the views, then they are sorted; ties stay as selected."""
    rows = [
        "200 0 0 1 25",
        "-10 0 0 1 25",
        "5 0 0 1 25",
        "200 0 0 1 25",
        "30 0 0 1 25",
        "0 0 0 1 25",
    ]
    for path in copy.glob("ShapeNetRendering/*/*/rendering/rendering_metadata.txt"):
        path.write_text("\n".join(rows))
    item = for_test(copy, n_views=4, order="azimuth")[0]
    sample = item["data_samples"]
    assert (sample.views, sample.picks) == ([2, 0, 3, 1], [2, 0, 3, 1])
    as_selected = for_test(copy, n_views=4)[0]["inputs"]["images"]
    assert torch.equal(item["inputs"]["images"], as_selected[[2, 0, 3, 1]])
    train_key = SampleKey(0, 3, 5, 0)
    selected = for_train(copy)[train_key]["data_samples"]
    assert "picks" not in selected
    sample = for_train(copy, order="azimuth")[train_key]["data_samples"]
    azimuths = [float(rows[view].split()[0]) % 360 for view in sample.views]
    assert azimuths == sorted(azimuths) and len(set(sample.views)) == 5
    assert [selected.views[pick] for pick in sample.picks] == sample.views


def test_azimuths_that_are_not_there(copy):
    path = rendering(copy, "object_0") / "rendering_metadata.txt"
    path.write_text("0 0 0 1 25\n90 0 0 1 25\n")
    assert for_test(copy, n_views=2, order="azimuth")[0]["data_samples"].picks == [0, 1]
    with pytest.raises(SampleError, match="metadata.txt: 2 lines, expected the azimuth of view 02"):
        for_test(copy, n_views=3, order="azimuth")[0]
    path.write_text("0 0 0 1 25\nfront\n")
    with pytest.raises(SampleError, match="metadata.txt: line 2 is 'front', expected azimuth"):
        for_test(copy, n_views=2, order="azimuth")[0]
    path.unlink()
    with pytest.raises(SampleError, match="metadata.txt: no such file, but order='azimuth' needs"):
        for_test(copy, n_views=2, order="azimuth")[0]
    assert for_test(copy, n_views=2)[0]["data_samples"].views == [0, 1]


def test_existing_renderings_count(copy):
    folder = rendering(copy, "object_0")
    (folder / "01.png").unlink()
    (folder / ".02.png.part").write_text("no rendering")
    (folder / "mask.png").write_text("no rendering")
    assert for_test(copy, n_views=3)[0]["data_samples"].views == [0, 2, 3]


def test_more_than_a_hundred_views_are_in_order_of_number(tmp_path):
    make_r2n2(tmp_path, n=1, views=102, size=12, splits=("test",))
    pipeline = [TEST[0], TEST[3]]
    dataset = R2N2Dataset(tmp_path, split="test", pipeline=pipeline, n_views=102, test_mode=True)
    assert dataset[0]["data_samples"].views == list(range(102))


def test_flat_grids_and_no_grids(tmp_path):
    make_r2n2(tmp_path, n=1, views=1, flat_voxels=True)
    assert (for_test(tmp_path)[0]["inputs"]["voxels"].numpy() == make_grid(0)).all()
    shutil.rmtree(tmp_path / "ShapeNetVox32")
    assert set(for_test(tmp_path, voxel_paths=())[0]["inputs"]) == {"images"}


def test_classes(shared):
    dataset = for_test(shared[0], classes=["aeroplane"])
    assert [key(dataset[i]["data_samples"]) for i in range(2)] == [
        ("02691156", "object_0"),
        ("02691156", "object_1"),
    ]
    with pytest.raises(ConfigError, match="no class 'chairs' in the taxonomy, nearest is 'chair'"):
        for_test(shared[0], classes=["chairs"])


def test_taxonomy_elsewhere(shared, tmp_path, monkeypatch):
    entry = {"taxonomy_id": "03001627", "taxonomy_name": "stuhl", "test": ["object_2"]}
    (tmp_path / "mine.json").write_text(json.dumps([entry]))
    monkeypatch.chdir(tmp_path)
    for path in (str(tmp_path / "mine.json"), "mine.json"):
        sample = for_test(shared[0], taxonomy=path)[0]["data_samples"]
        assert (sample.id, sample.name) == ("object_2", "stuhl")
    with pytest.raises(ConfigError, match=r"no samples in split 'train', .*: test \(1\)"):
        for_train(shared[0], taxonomy="mine.json")
    with pytest.raises(FileError, match=f"{shared[0]}/other.json: no taxonomy file"):
        for_test(shared[0], taxonomy="other.json")


# ---- loaders


def load(root, workers, context=None, epochs=2):
    dataset = for_train(root)
    sampler = ViewBatchSampler(DefaultSampler(dataset, seed=5), 2, drop_last=False, views=(1, 4))
    loader = DataLoader(
        dataset, batch_sampler=sampler, collate_fn=default_collate, num_workers=workers,
        persistent_workers=workers > 0, multiprocessing_context=context,
    )  # fmt: skip
    batches = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_change_nothing(shared, context):
    alone, together = load(shared[0], 0), load(shared[0], 2, context)
    assert len(alone) == len(together) == 6
    for a, b in zip(alone, together, strict=True):
        assert equal(a["inputs"], b["inputs"])
        samples = [[(key(s), s.views) for s in batch["data_samples"]] for batch in (a, b)]
        assert samples[0] == samples[1]


def test_batches_are_stacked(shared):
    batch = load(shared[0], 0, epochs=1)[0]
    views = batch["inputs"]["images"].shape[1]
    assert 1 <= views <= 4
    shapes = {k: tuple(v.shape) for k, v in batch["inputs"].items() if k != "augment"}
    assert shapes == {"images": (2, views, 128, 128, 4), "voxels": (2, 32, 32, 32)}
    assert batch["inputs"]["augment"]["flip"].shape == (2, views)
    assert batch["inputs"]["augment"]["factors"].shape == (2, 3)
    assert isinstance(batch["data_samples"], list) and len(batch["data_samples"]) == 2


def test_pickle_round_trip_and_registry(shared):
    dataset = DATASETS.build(
        {"type": "R2N2Dataset", "data_root": str(shared[0]), "split": "val", "pipeline": TRAIN}
    )
    again = pickle.loads(pickle.dumps(dataset))
    assert equal(again[3]["inputs"], dataset[3]["inputs"])


# ---- bad data


def test_missing_folder_says_how_to_get_it(tmp_path, copy):
    with pytest.raises(
        FileError, match="nowhere: no such data folder; register at shapenet.org"
    ) as e:
        for_train(tmp_path / "nowhere")
    assert "ShapeNetRendering.tgz" in str(e.value) and "--data-root DIR" in str(e.value)
    assert "\n" not in str(e.value)
    shutil.rmtree(copy / "ShapeNetVox32")
    with pytest.raises(FileError, match="data/ShapeNetVox32: no such data folder; register"):
        for_train(copy)
    shutil.rmtree(copy / "ShapeNetRendering")
    with pytest.raises(FileError, match="data/ShapeNetRendering: no such data folder; register"):
        for_train(copy)


def test_samples_not_on_disk(copy):
    shutil.rmtree(rendering(copy, "object_1").parent)
    shutil.rmtree(copy / "ShapeNetVox32" / "02691156" / "object_0")
    gone = [("03001627", "object_1"), ("02691156", "object_0")]
    text = (
        f"{copy}: 2 of 5 samples of split 'test' in {copy}/taxonomy.json are missing or "
        f"incomplete: 03001627/object_1, 02691156/object_0 "
        f"(no {copy}/ShapeNetRendering/03001627/object_1)"
    )
    with pytest.raises(SampleError) as caught:
        for_test(copy)
    assert str(caught.value) == text
    lenient = for_test(copy, skip_bad=True)
    assert lenient.missing == gone and len(lenient) == 3
    trained = for_train(copy)
    assert trained.missing == gone
    there = [key(trained[i]["data_samples"]) for i in range(len(trained))]
    assert there == [("03001627", "object_0"), ("03001627", "object_2"), ("02691156", "object_1")]


def test_missing_samples_are_logged_once(copy, monkeypatch):
    lines = []
    monkeypatch.setattr("voxrecon.datasets.base.print_log", lambda text, **_: lines.append(text))
    shutil.rmtree(rendering(copy, "object_1").parent)
    for_train(copy)
    (line,) = lines
    assert "1 of 5 samples" in line and "03001627/object_1" in line and line.endswith("left out")


def test_nothing_on_disk(copy):
    shutil.rmtree(copy / "ShapeNetRendering")
    (copy / "ShapeNetRendering").mkdir()
    for build in (for_train, lambda root: for_test(root, skip_bad=True)):
        with pytest.raises(SampleError, match="5 of 5 samples .* are missing or incomplete"):
            build(copy)


def test_more_views_than_renderings(copy):
    with pytest.raises(SampleError, match="object_0/rendering: 6 renderings, 30 views asked for"):
        for_test(copy, n_views=30)
    with pytest.raises(SampleError, match="20 samples in a row broken, last: .* 7 views asked for"):
        for_train(copy)[SampleKey(0, 0, 7, 0)]
    (rendering(copy, "object_2") / "03.png").unlink()
    dataset = for_test(copy, n_views=6, skip_bad=True)
    assert len(dataset) == 4 and dataset.missing == [("03001627", "object_2")]


def test_broken_sample_is_replaced_in_training(copy):
    broken = rendering(copy, "object_0") / "00.png"
    for path in broken.parent.glob("*.png"):
        path.write_bytes(path.read_bytes()[:-20])
    dataset = for_train(copy)
    replaced = [dataset[SampleKey(0, epoch, 2, 0)] for epoch in range(12)]
    for item in replaced:
        sample = item["data_samples"]
        assert key(sample) != ("03001627", "object_0") and sample.broken
        assert all("object_0/rendering" in text and "truncated" in text for text in sample.broken)
    assert len({key(item["data_samples"]) for item in replaced}) > 1
    again = dataset[SampleKey(0, 3, 2, 0)]
    assert key(again["data_samples"]) == key(replaced[3]["data_samples"])
    assert equal(again["inputs"], replaced[3]["inputs"])
    # its own views and augmentation, not those that the replacement has anyway
    index = next(
        i for i in range(5) if key(dataset[i]["data_samples"]) == key(again["data_samples"])
    )
    other = dataset[SampleKey(index, 3, 2, 0)]
    assert not equal(again["inputs"]["augment"], other["inputs"]["augment"])
    assert dataset[SampleKey(1, 0, 2, 0)]["data_samples"].broken == []


def test_broken_sample_is_fatal_in_testing(copy):
    (copy / "ShapeNetVox32" / "03001627" / "object_0" / "model.binvox").write_bytes(b"#binvox 9\n")
    with pytest.raises(SampleError, match="object_0/model.binvox: "):
        for_test(copy)[0]
    sample = for_test(copy, skip_bad=True)[0]["data_samples"]
    assert key(sample) != ("03001627", "object_0") and len(sample.broken) >= 1


def test_all_broken(copy):
    for path in copy.glob("ShapeNetRendering/*/*/rendering/*.png"):
        path.write_bytes(b"")
    with pytest.raises(SampleError, match="20 samples in a row broken, last: .*png"):
        for_train(copy)[0]


@pytest.mark.parametrize(
    "bad",
    [
        {"split": "training"},
        {"n_views": 0},
        {"order": "elevation"},
        {"voxel_paths": ["ShapeNetVox32/{taxonomy}/{id}.npy"]},
        {"voxel_paths": ["ShapeNetVox32/{taxonomy}/{model}.binvox"]},
        {"voxel_paths": ["ShapeNetVox32/{taxonomy}/model.binvox"]},
    ],
)
def test_bad_arguments(shared, bad):
    with pytest.raises(ConfigError, match="expected"):
        R2N2Dataset(shared[0], **bad)


# ---- real data


@pytest.mark.skipif("VOXRECON_TEST_DATA" not in os.environ, reason="needs VOXRECON_TEST_DATA")
def test_real_chairs():
    root = Path(os.environ["VOXRECON_TEST_DATA"], "r2n2_chairs")
    dataset = for_test(root, n_views=24)
    occupied = {dataset[i]["data_samples"].id[:4]: dataset[i] for i in range(6)}
    counts = {k: int(item["inputs"]["voxels"].sum()) for k, item in occupied.items()}
    assert counts == {
        "1a38": 3780, "1a6f": 2163, "1a74": 1523, "1a8b": 3166, "1aa0": 3115, "1ab4": 11900,
    }  # fmt: skip
    assert all(item["inputs"]["images"].shape == (24, 128, 128, 4) for item in occupied.values())


@pytest.mark.skipif("VOXRECON_TEST_DATA" not in os.environ, reason="needs VOXRECON_TEST_DATA")
def test_real_chair_through_the_published_test_transforms():
    data = Path(os.environ["VOXRECON_TEST_DATA"])
    if not (golden := data.parent / "golden" / "pix2vox_f_chair.npz").exists():
        pytest.skip("needs the golden chair beside the test data")
    item = for_test(data / "r2n2_chairs", n_views=3)[3]
    assert item["data_samples"].id == "1a8bbf2994788e2743e99e0cae970928"
    images = VoxelDataPreprocessor().prepare(item["inputs"]["images"][None])[0]
    expected = np.load(golden)
    assert np.abs(images.numpy() - expected["images"]).max() < 5e-5
    voxels = np.unpackbits(expected["voxel"])[: 32**3].reshape(32, 32, 32)
    assert (item["inputs"]["voxels"].numpy() == voxels).all()
