# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxrecon.evaluation.markdown import format_markdown
from voxrecon.models import VoxelReconstructor

CARD = """\
---
license: mit
library_name: voxrecon
pipeline_tag: image-to-3d
tags:
- 3d-reconstruction
- voxels
- voxrecon
---

# {name}

Solid 3D voxel grids from one or more photos of an object. A model of
voxrecon.

| | |
|---|---|
| network | {network} |
| parameters | {parameters:,} |
| input | photos of one object, {side} x {side} pixels, {order}; background {background} |
| output | occupancy probabilities, {grid} x {grid} x {grid} |

## Use

```python
from voxrecon.apis import VoxelInferencer

# "user" is whose repository this is; of a folder on a disk: VoxelInferencer("{name}")
inferencer = VoxelInferencer.from_pretrained("user/{name}")
inferencer(["front.jpg", "side.jpg"]).save("object.glb")
```

The grid is indexed [x, y, z]: y is up, the object faces +x, its own right is +z.

## Figures

{figures}

## Limits

- The object has to be the only one in the photo, or to be told from its background by a mask.
- What no photo shows is guessed from what training has shown.
- Details thinner than a voxel, 1/{grid} of the object's longest side, are lost.
- Objects of classes that training did not have come out worse.
"""
UNKNOWN = "None are given: `voxrecon export --results FILE` brings those of a test."


def write_card(name: str, model: VoxelReconstructor, results: Mapping[str, Any] | None) -> str:
    """The README of a model folder, with front matter for the hub.

    Args:
        name: Of the folder.
        results: Of a test, as ``read_results`` gives them; None: the card has no figures.
    """
    preprocessor = model.data_preprocessor
    return CARD.format(
        name=name,
        network=model.network,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        side=preprocessor.size,
        order="BGR" if preprocessor.bgr else "RGB",
        background=f"grey {preprocessor.background * 255:.0f}",
        grid=model.grid_size,
        figures=UNKNOWN if results is None else format_markdown(results).strip(),
    )
