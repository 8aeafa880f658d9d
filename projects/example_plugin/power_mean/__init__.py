"""A fusion head of one's own: the power mean of the views' coarse volumes."""

from .fusion import PowerMeanFusion

__all__ = ["PowerMeanFusion"]
