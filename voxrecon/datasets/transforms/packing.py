# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from voxrecon.errors import SampleError
from voxrecon.registry import TRANSFORMS
from voxrecon.structures import VoxelDataSample


@TRANSFORMS.register_module()
class PackVoxelInputs(BaseTransform):
    """Tensors for the network beside a data sample that says what they show.

    Returns ``inputs``: ``images`` (V, h, w, 4) uint8, ``voxels`` (X, Y, Z) uint8 and ``augment`` (a
    dict of tensors) where there are any; and ``data_samples``: a :class:`VoxelDataSample` with
    ``taxonomy``, ``id``, ``name``, ``views``, ``broken`` and, where they are sorted, ``picks``.

    Raises:
        SampleError: the views differ in size (crop them first).
    """

    def transform(self, results: dict) -> dict:
        images = results["images"]
        if isinstance(images, list):
            sizes = {image.shape for image in images}
            if len(sizes) > 1:
                raise SampleError(
                    f"{results['img_paths'][0]}: views of sizes {sorted(sizes)}, expected one"
                )
            images = np.stack(images)
        inputs = {"images": torch.from_numpy(images)}
        if "voxels" in results:
            inputs["voxels"] = torch.from_numpy(results["voxels"])
        if "augment" in results:
            inputs["augment"] = {k: torch.from_numpy(v) for k, v in results["augment"].items()}
        keys = ("taxonomy", "id", "name", "views", "picks", "broken")
        sample = VoxelDataSample(metainfo={key: results[key] for key in keys if key in results})
        return {"inputs": inputs, "data_samples": sample}
