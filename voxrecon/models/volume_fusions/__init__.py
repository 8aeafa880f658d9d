# SPDX-License-Identifier: MIT
from .context_aware import ContextAwareFusion
from .mean import MeanFusion
from .multi_scale import MultiScaleContextAwareFusion

__all__ = ["ContextAwareFusion", "MeanFusion", "MultiScaleContextAwareFusion"]
