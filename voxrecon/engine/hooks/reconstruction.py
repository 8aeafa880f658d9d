# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook

from voxrecon.errors import FileError
from voxrecon.geometry.meshes import voxel_mesh, write_mesh
from voxrecon.registry import HOOKS
from voxrecon.visualization import draw_reconstruction, fill_background


@HOOKS.register_module()
class ReconstructionHook(Hook):
    """Draw inputs, prediction and truth of a few samples, into the visual backends and into a
    folder.

    Args:
        count: Samples drawn at a validation, the first ones.
        interval: Epochs between validations with pictures; the first and the last always have them.
        threshold: Occupied where the probability is at least this.
        show_dir: In testing, samples go into this folder, as PNG, and their predictions as GLB;
            None: nowhere.
        per_class: So many samples of each class, the first ones (of each process); None: all.
    """

    def __init__(
        self,
        count: int = 4,
        interval: int = 1,
        threshold: float = 0.3,
        show_dir: str | None = None,
        per_class: int | None = None,
    ) -> None:
        self.count, self.interval, self.threshold = count, interval, threshold
        self.show_dir = None if show_dir is None else Path(show_dir)
        self.per_class = per_class
        self.drawn = 0
        self.shown: Counter[str] = Counter()

    def before_val(self, runner) -> None:
        """Begin again with the first samples."""
        self.drawn = 0

    @master_only
    def after_val_iter(self, runner, batch_idx: int, data_batch: dict, outputs: list) -> None:
        """Draw the first samples into the visual backends."""
        training = runner.stage is not None
        step = runner.epoch if training else 0
        if training and step % self.interval and step not in (1, runner.max_epochs):
            return
        for i, sample in enumerate(outputs):
            if self.drawn == self.count:
                return
            for _, picture in self.pictures(data_batch["inputs"]["images"][i], sample):
                runner.visualizer.add_image(f"val_{sample.taxonomy}_{sample.id}", picture, step)
            self.drawn += 1

    def before_test(self, runner) -> None:
        """Begin again with the first samples."""
        self.shown.clear()

    def after_test_iter(self, runner, batch_idx: int, data_batch: dict, outputs: list) -> None:
        """A picture and a mesh in ``show_dir`` for each sample and number of views.

        An empty prediction has no mesh.
        """
        if self.show_dir is None:
            return
        for i, sample in enumerate(outputs):
            self.shown[sample.taxonomy] += 1
            if self.per_class is not None and self.shown[sample.taxonomy] > self.per_class:
                continue
            for views, picture in self.pictures(data_batch["inputs"]["images"][i], sample):
                path = self.show_dir / sample.taxonomy / f"{sample.id}_{views}v.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                if not cv2.imwrite(str(path), picture[..., ::-1]):
                    raise FileError(f"{path}: the picture cannot be written")
                occupied = (sample.pred_volumes[views] >= self.threshold).cpu().numpy()
                if occupied.any():
                    write_mesh(path.with_suffix(".glb"), voxel_mesh(occupied))

    def pictures(self, images, sample) -> list[tuple[int, np.ndarray]]:
        """(number of views, uint8 RGB picture) for each reconstruction of a sample.

        ``images`` (V, h, w, 4) are the uint8 RGBA crops as loaded.
        """
        rgba = images.cpu().numpy()
        rgb = fill_background(rgba)
        truth = sample.gt_voxels.bool().cpu().numpy() if "gt_voxels" in sample else None
        picks = np.array(sample.get("picks", range(len(rgb))))  # sorted views: which were first
        pictures = []
        for n, volume in sample.pred_volumes.items():
            volume = volume.float().cpu().numpy()
            pictures.append((n, draw_reconstruction(rgb[picks < n], volume, truth, self.threshold)))
        return pictures
