# SPDX-License-Identifier: MIT
import json

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.evaluator import Evaluator

from voxrecon.errors import ConfigError, VoxreconError
from voxrecon.evaluation import VoxelIoU
from voxrecon.registry import METRICS
from voxrecon.structures import VoxelDataSample

TAXONOMIES = ("02691156", "03001627")


def data_sample(i, views=(1, 5), broken=()):
    """Sample i of a set whose ids repeat across its two classes, as a model returns it."""
    generator = torch.Generator().manual_seed(i)
    sample = VoxelDataSample(
        metainfo={
            "taxonomy": TAXONOMIES[i % 2],
            "id": f"id{i // 2}",
            "name": ("aeroplane", "chair")[i % 2],
            "broken": list(broken),
        }
    )
    sample.gt_voxels = (torch.rand(6, 6, 6, generator=generator) > 0.5).to(torch.uint8)
    sample.pred_volumes = {n: torch.rand(6, 6, 6, generator=generator) for n in views}
    return sample


def expected_mean(indices, n_views, t):
    total = 0.0
    for sample in map(data_sample, indices):
        predicted, truth = sample.pred_volumes[n_views] >= t, sample.gt_voxels == 1
        total += (predicted & truth).sum().item() / (predicted | truth).sum().item()
    return total / len(indices)


def test_through_registry_and_evaluator():
    metric = METRICS.build({"type": "VoxelIoU", "thresholds": [0.3, 0.5]})
    evaluator = Evaluator(metric)
    evaluator.process([data_sample(0), data_sample(1)])
    evaluator.process([data_sample(2)])
    metrics = evaluator.evaluate(3)
    assert list(metrics) == [
        *("iou", "iou@0.3", "iou@0.5", "best_threshold"),
        *("iou/5v", "iou@0.3/5v", "iou@0.5/5v", "best_threshold/5v"),
        "samples",
    ]
    for suffix, n_views in (("", 1), ("/5v", 5)):
        for t in (0.3, 0.5):
            mean = expected_mean(range(3), n_views, t)
            assert metrics[f"iou@{t}{suffix}"] == pytest.approx(mean, abs=1e-12)
        best = max((0.3, 0.5), key=lambda t: metrics[f"iou@{t}{suffix}"])
        assert metrics[f"best_threshold{suffix}"] == best
        assert metrics[f"iou{suffix}"] == metrics[f"iou@{best}{suffix}"]
    assert metrics["samples"] == 3
    assert all(isinstance(value, (int, float)) for value in metrics.values())


def test_the_smallest_view_count_selects():
    metric = VoxelIoU([0.3, 0.5], prefix="val")
    metric.process(None, [data_sample(0, views=(5, 2))])
    metrics = metric.evaluate(1)
    assert set(metrics) >= {"val/iou", "val/iou@0.5", "val/iou/5v", "val/samples"}
    two = VoxelIoU([0.3, 0.5])
    two.process(None, [data_sample(0, views=(5, 2)).to_dict()])
    two.results = [record for record in two.results if record["n_views"] == 2]
    assert two.evaluate(1)["iou"] == metrics["val/iou"]


def test_samples_count_once_and_the_state_is_reset():
    metric = VoxelIoU()
    metric.process(None, [data_sample(i) for i in (0, 1, 2, 0, 1)])
    metrics = metric.evaluate(3)
    metric.process(None, [data_sample(i) for i in (2, 0, 1)])
    assert metric.evaluate(3) == metrics
    assert metrics["samples"] == 3


def test_twins_that_differ_by_a_voxel_do_not_depend_on_the_order():
    values = []
    for order in ((0.2, 0.4), (0.4, 0.2)):
        metric = VoxelIoU([0.3])
        for value in order:
            sample = data_sample(0, views=(1,))
            sample.gt_voxels[0, 0, 0] = 1
            sample.pred_volumes[1][0, 0, 0] = value
            metric.process(None, [sample])
        values.append(metric.evaluate(1)["iou"])
    assert values[0] == values[1]


def test_broken_samples_are_counted_and_logged_in_one_line(monkeypatch):
    logged = []
    monkeypatch.setattr(
        "voxrecon.evaluation.voxel_iou.print_log", lambda *args: logged.append(args)
    )
    metric = VoxelIoU()
    metric.dataset_meta = {"missing": ["c: no renderings"]}  # left out before it was ever asked for
    metric.process(None, [data_sample(0, broken=["b.png: truncated", "a.png: grey"])])
    metric.process(None, [data_sample(1, broken=["b.png: truncated"]), data_sample(1)])
    metrics = metric.evaluate(4)
    assert metrics["samples"] == 2
    named = "a.png: grey; b.png: truncated; c: no renderings"
    assert [line for line, *_ in logged] == [f"evaluated 2 of 5 samples, 3 broken: {named}"]
    results = metric.found
    assert results["broken"] == ["a.png: grey", "b.png: truncated", "c: no renderings"]
    keys = [(s["taxonomy"], s["id"], s["n_views"]) for s in results["samples"]]
    assert keys == [(taxonomy, "id0", n) for taxonomy in TAXONOMIES for n in (1, 5)]
    assert results["summary"]["1"]["classes"]["03001627"]["name"] == "chair"
    assert max(results["summary"]["1"]["overall"]) == metrics["iou"]


def test_bad_predictions_are_named():
    metric = VoxelIoU()
    sample = data_sample(3)
    sample.pred_volumes[5][0, 0, 0] = float("nan")
    with pytest.raises(VoxreconError, match="^03001627/id1: 1 predicted voxels are NaN"):
        metric.process(None, [data_sample(0), sample])
    sample.pred_volumes = {1: torch.rand(4, 4, 4)}
    with pytest.raises(
        VoxreconError, match="^03001627/id1: predicted grid is 4x4x4, expected 6x6x6"
    ):
        metric.process(None, [sample])


def test_no_sample_is_an_error():
    with pytest.raises(VoxreconError, match="none of 7 samples"):
        VoxelIoU().evaluate(7)


@pytest.mark.parametrize("bad", [[], [0.3, 0.3], [1.5], [float("nan")], ["high"], 0.3])
def test_thresholds_are_checked(bad):
    with pytest.raises(ConfigError, match="expected distinct numbers in"):
        VoxelIoU(bad)


def test_protocols():
    assert VoxelIoU().thresholds == (0.2, 0.3, 0.4, 0.5)
    assert VoxelIoU(protocol="r2n2").thresholds == (0.4,)
    with pytest.raises(ConfigError, match="expected 0.3 of protocol pix2vox among them"):
        VoxelIoU([0.4])
    with pytest.raises(ConfigError, match="VoxelIoU: protocol pix3d, whose IoU is that of Pix3D"):
        VoxelIoU(protocol="pix3d")
    with pytest.raises(ConfigError, match="protocol 'r2n3': expected one of pix2vox, r2n2, retr"):
        VoxelIoU(protocol="r2n3")


def test_the_mean_and_the_comparison_of_a_protocol():
    by_sample, by_class = VoxelIoU([0.3, 0.5]), VoxelIoU(protocol="retr")
    samples = [data_sample(i, views=(1,)) for i in (0, 1, 2)]
    samples[1].pred_volumes[1][:] = 0.5  # above 0.5 nothing
    for metric in (by_sample, by_class):
        metric.process(None, samples)
    filled = float(samples[1].gt_voxels.float().mean())
    others = [expected_mean([i], 1, 0.5) for i in (0, 2)]
    expected = (sum(others) + filled) / 3
    assert by_sample.evaluate(3)["iou@0.5"] == pytest.approx(expected, abs=1e-6)
    assert by_class.evaluate(3)["iou@0.5"] == pytest.approx((sum(others) / 2 + 0) / 2, abs=1e-6)


@METRICS.register_module()
class KeyAndSum:
    """A measure: which sample it was called for, with what."""

    def __call__(self, predictions, truth, key):
        assert truth.dtype == torch.bool and predictions.shape[1:] == truth.shape
        return [
            {"scores": {"sum": float(p.sum()), "id": float(key[-1])}, "histogram": "h"}
            for p in predictions
        ]


def test_measures_are_called_with_all_view_counts_of_a_sample():
    metric = VoxelIoU(measures=[{"type": "KeyAndSum"}])
    samples = [data_sample(i, views=(5, 1)) for i in range(5)]
    metric.process(None, samples)
    assert len(metric.results) == 10
    for found in metric.results:
        i = 2 * int(found["id"][2:]) + TAXONOMIES.index(found["taxonomy"])
        total = float(samples[i].pred_volumes[found["n_views"]].sum())
        assert found["scores"] == {"sum": total, "id": float(i // 2)}
        assert found["histogram"] == "h" and len(found["truth"]) == 16
    del metric.results[0]["histogram"]  # of one sample unknown: of all
    for found in metric.results:
        found.pop("histogram", None)
    assert metric.evaluate(5)["id/5v"] == pytest.approx((0 + 0 + 1 + 1 + 2) / 5)


def test_a_measure_follows_the_protocol_unless_told_otherwise():
    measures = [{"type": "FScore"}, {"type": "FScore", "threshold": 0.7}, {"type": "Calibration"}]
    metric = VoxelIoU(protocol="retr", measures=measures)
    assert [(m.threshold, m.strict) for m in metric.measures[:2]] == [(0.5, True), (0.7, True)]
    metric.process(None, [data_sample(0)])
    metric.evaluate(1)
    first, second, third = metric.found["measures"]
    assert first["type"] == "FScore" and first["points"] == 8192 and first["threshold"] == 0.5
    assert second["threshold"] == 0.7 and third == {"type": "Calibration"}


def test_which_views_have_been_seen():
    sample = data_sample(0, views=(1, 2, 3))
    sample.set_metainfo({"views": [7, 4, 9], "picks": [2, 0, 1]})
    metric = VoxelIoU()
    metric.process(None, [sample, data_sample(1, views=(1, 2, 3))])
    metric.evaluate(2)
    seen = {(s["taxonomy"], s["n_views"]): s.get("view_numbers") for s in metric.found["samples"]}
    assert [seen[TAXONOMIES[0], n] for n in (1, 2, 3)] == [[4], [4, 9], [7, 4, 9]]
    assert [seen[TAXONOMIES[1], n] for n in (1, 2, 3)] == [None] * 3  # the first ones


def test_the_order_of_the_views_is_a_number():
    metric, sample = VoxelIoU([0.3]), data_sample(0)
    sample.gt_voxels[:] = 0
    sample.gt_voxels[0] = 1  # 36 voxels
    order_volumes = torch.zeros(3, 6, 6, 6)
    order_volumes[:, 0] = 1
    order_volumes[1, 0, 0] = 0  # 30 of 36
    order_volumes[2, 0, 0:3] = 0  # 18 of 36
    sample.order_volumes = order_volumes
    metric.process(None, [sample])
    scores = {found["n_views"]: found["scores"] for found in metric.results}
    values = torch.tensor([1, 30 / 36, 0.5], dtype=torch.float64)
    assert scores[1] == {}
    assert scores[5]["order_range"] == 0.5
    assert scores[5]["order_deviation"] == pytest.approx(float(values.std(correction=0)))


def _rank(rank, folder):
    """Rank r of 2 on five samples: padded with sample 0, and sample 3 broken, replaced by 1."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    indices = ((0, 2, 4), (1, 1, 0))[rank]
    broken = ((), (), ()), ((), ("3.png: truncated",), ())
    metric = VoxelIoU()
    metric.process(
        None, [data_sample(i, broken=b) for i, b in zip(indices, broken[rank], strict=True)]
    )
    metrics = metric.evaluate(5)
    metrics = {"metrics": metrics, "found": metric.found}  # on the main process alone
    try:
        metric.evaluate(0)  # nothing was processed: an error, on both
    except VoxreconError as error:
        metrics["error"] = str(error)
    with open(f"{folder}/rank{rank}.json", "w") as file:
        json.dump(metrics, file)
    dist.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    mp.spawn(_rank, (str(tmp_path),), nprocs=2)
    ranks = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1)]

    single = VoxelIoU()
    single.process(None, [data_sample(i, broken=["3.png: truncated"]) for i in (0, 1, 2, 4)])
    expected = single.evaluate(5)
    found, error = json.loads(json.dumps(single.found)), "none of 0 samples was evaluated"
    assert [rank["metrics"] for rank in ranks] == [expected, expected]
    assert [rank["found"] for rank in ranks] == [found, None]
    assert all(rank["error"].startswith(error) for rank in ranks)
    assert expected["samples"] == 4
    assert expected["iou@0.3/5v"] == pytest.approx(expected_mean((0, 1, 2, 4), 5, 0.3), abs=1e-12)
