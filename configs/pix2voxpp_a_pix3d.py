# Pix2Vox++/A trained on ShapeNet chairs, tested on Pix3D chairs.
# Table row: IoU 0.204 (trained on renderings as they are).
_base_ = [
    "_base_/models/pix2voxpp_a.py",
    "_base_/datasets/pix3d.py",
    "_base_/schedules/pix2vox.py",
    "_base_/default_runtime.py",
]

# every photo shows an object by itself: there is nothing to fuse
train_cfg = dict(stages=[dict(epochs=250, views=1, frozen=["volume_fusion"])])
