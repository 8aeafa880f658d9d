# SPDX-License-Identifier: MIT
from __future__ import annotations

from mmengine.hooks import Hook

from voxrecon.registry import HOOKS


@HOOKS.register_module()
class CloseVisualizerHook(Hook):
    """Close the visual backends at the end, good or bad; mmengine does at a good one alone.

    So an interrupted run loses nothing of what they still hold, nor stays open.
    """

    def on_exit(self, runner) -> None:
        """Flush and close."""
        runner.visualizer.close()
