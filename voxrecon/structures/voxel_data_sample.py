# SPDX-License-Identifier: MIT
from mmengine.structures import BaseDataElement


class VoxelDataSample(BaseDataElement):
    """What travels beside the images of one object.

    Meta information: ``taxonomy`` (class id), ``id`` (unique within its class only), ``name``
    (class name), ``views`` (indices of the selected renderings, in order), ``picks`` (as which one,
    from 0, each of them was selected, where they have been sorted), ``broken`` (messages on samples
    that this one replaces).

    Data fields: ``gt_voxels`` (X, Y, Z) uint8, the true grid; ``pred_volumes`` {number of views:
    (X, Y, Z) float}, the occupancy probability reconstructed from the first so many views;
    ``order_volumes`` (K, X, Y, Z), where asked for, that from the most of them in K orders.
    """
