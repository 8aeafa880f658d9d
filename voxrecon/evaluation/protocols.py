# SPDX-License-Identifier: MIT
"""How the papers of the field evaluate, by name: their tables cannot be compared otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..errors import ConfigError

MANY = (1, 2, 3, 4, 5, 8, 12, 16, 20)  # numbers of views of the tables since Pix2Vox


@dataclass(frozen=True)
class Protocol:
    """What counts as occupied and which mean is printed.

    Attributes:
        name: Of ``PROTOCOLS``.
        source: Where it is from.
        metric: The class that computes its IoU.
        thresholds: At which the voxels are counted.
        threshold: The one of them at which a figure stands for all; None: the one that is best for
            each number of views.
        mean: ``"sample"`` or ``"class"``: over samples, or of the means of the classes.
        strict: A voxel is occupied where the probability is *above* the threshold, not also where
            it equals it.
        views: Numbers of views in its tables; the first so many of each object.
    """

    name: str
    source: str
    metric: str = "VoxelIoU"
    thresholds: tuple[float, ...] = ()
    threshold: float | None = None
    mean: str = "sample"
    strict: bool = False
    views: tuple[int, ...] = MANY

    def record(self) -> dict[str, Any]:
        """What a file of results says of it."""
        return {key: asdict(self)[key] for key in ("name", "metric", "threshold", "mean", "strict")}


PROTOCOLS = {
    p.name: p
    for p in (
        Protocol(
            "pix2vox",
            "Xie et al., ICCV 2019 and IJCV 2020 (Pix2Vox, Pix2Vox++), and their public code",
            thresholds=(0.2, 0.3, 0.4, 0.5),
            threshold=0.3,
        ),
        Protocol(
            "r2n2",
            "Choy et al., ECCV 2016 (3D-R2N2)",
            thresholds=(0.4,),
            threshold=0.4,
            views=(1, 2, 3, 4, 5),
        ),
        Protocol(
            "retr",
            "Shi et al., BMVC 2021 (3D-RETR), the public code",
            thresholds=(0.5,),
            threshold=0.5,
            mean="class",
            strict=True,
        ),
        Protocol(
            "pix3d",
            "Sun et al., CVPR 2018 (Pix3D), the public evaluation",
            metric="Pix3DIoU",
            thresholds=tuple(t / 100 for t in range(1, 51)),
            strict=True,
            views=(1,),
        ),
    )
}


def find_protocol(name: str) -> Protocol:
    """The protocol of a name; ConfigError for an unknown one."""
    if name not in PROTOCOLS:
        raise ConfigError(f"protocol {name!r}: expected one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
