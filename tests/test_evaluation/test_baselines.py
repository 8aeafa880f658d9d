# SPDX-License-Identifier: MIT
import pytest
import torch

from voxrecon.evaluation.baselines import (
    class_mean_iou,
    mean_grid,
    mean_grid_iou,
    oracle_iou,
    pairwise_iou,
    retrieval_iou,
)


def grids(*rows):
    """Grids of four voxels, written as strings of # and dots."""
    return torch.tensor([[c == "#" for c in row] for row in rows])


def test_pairwise_iou_by_hand():
    scores = pairwise_iou(grids("##..", "...."), grids("##..", "#...", "..##", "...."))
    assert scores.tolist() == [[1, 0.5, 0, 0], [0, 0, 0, 1]]


def test_pairs_are_the_same_in_any_number_of_chunks(monkeypatch):
    a, b = torch.rand(7, 50) < 0.4, torch.rand(10, 50) < 0.4
    whole = pairwise_iou(a, b)
    monkeypatch.setattr("voxrecon.evaluation.baselines.CHUNK", 3)
    assert torch.equal(pairwise_iou(a, b), whole)
    slow = [[(x & y).sum() / (x | y).sum() for y in b] for x in a]
    assert torch.allclose(whole, torch.tensor(slow, dtype=torch.float64))


def test_the_training_set_chooses_the_threshold_of_its_mean():
    # means 1, 2/3, 1/3, 0: at t <= 0.3 three voxels (IoU 1/3, 2/3, 1), above two (1/2, 1, 2/3)
    train = grids("#...", "##..", "###.")
    assert mean_grid(train).tolist() == [True, True, False, False]
    assert mean_grid_iou(train, grids("##..", "####")).tolist() == [1, 0.5]


def test_the_class_mean_knows_the_class():
    train = grids("##..", "##..", "..##")
    scores = class_mean_iou(train, ["a", "a", "b"], grids("##..", "..#.", "####"), ["a", "b", "c"])
    assert scores[:2].tolist() == [1, 0.5] and scores[2].isnan()  # nothing is known of c


def test_the_oracle_takes_the_nearest():
    assert oracle_iou(grids("#...", "###."), grids("##..", ".###")).tolist() == pytest.approx(
        [2 / 3, 0.5]
    )


def test_retrieval_goes_by_features_and_not_by_grids():
    train = grids("##..", "..##")
    views = torch.tensor([[[1.0, 0.0], [0.9, 0.1]], [[0.0, 1.0], [-1.0, 0.0]]])  # two of each
    features = torch.tensor([[5.0, 0.2], [0.1, 3.0], [-2.0, 0.0]])
    scores = retrieval_iou(train, views, grids("##..", "##..", "..#."), features)
    assert scores.tolist() == [1, 0, 0.5]
