import torch
from torch import Tensor, nn

from voxrecon.registry import MODELS


@MODELS.register_module()
class PowerMeanFusion(nn.Module):
    """``mean(p ** power) ** (1 / power)`` over the views: 1 is the mean, large powers near the
    maximum. The power is learnt.
    """

    def __init__(self, power: float = 2.0) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(float(power)))

    def score(self, context: Tensor) -> None:
        """A power mean needs no scores."""
        return None

    def fuse(self, coarse: Tensor, scores: None) -> Tensor:
        """Coarse volumes (B, V, X, Y, Z) to one (B, X, Y, Z)."""
        mean = coarse.clamp(1e-6, 1).pow(self.power).mean(dim=1)
        return mean.pow(1 / self.power).clamp(0, 1)
