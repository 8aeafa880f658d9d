# SPDX-License-Identifier: MIT
from .context_aware import ContextAwareFusion
from .last import LastFusion
from .mean import MeanFusion
from .multi_scale import MultiScaleContextAwareFusion

__all__ = [
    "ContextAwareFusion",
    "LastFusion",
    "MeanFusion",
    "MultiScaleContextAwareFusion",
]
