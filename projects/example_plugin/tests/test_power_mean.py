import pytest
import torch

from voxrecon.registry import MODELS


@pytest.mark.parametrize(("power", "expected"), [(1.0, 0.4), (2.0, 0.2**0.5), (100.0, 0.6)])
def test_power_mean_of_two_views(power, expected):
    fusion = MODELS.build({"type": "PowerMeanFusion", "power": power})
    coarse = torch.tensor([0.2, 0.6]).view(1, 2, 1, 1, 1)  # (B, V, X, Y, Z)
    volume = fusion.fuse(coarse, None)
    assert volume.shape == (1, 1, 1, 1)
    assert volume.item() == pytest.approx(expected, rel=0.01)
