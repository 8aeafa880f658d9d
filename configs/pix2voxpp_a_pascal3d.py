# Pix2Vox++/A on Pascal 3D+. Table row: no verified row (the first version of the Pix2Vox paper has
# 0.669 for Pix2Vox-A).
_base_ = [
    "_base_/models/pix2voxpp_a.py",
    "_base_/datasets/pascal3d.py",
    "_base_/schedules/pix2vox.py",
    "_base_/default_runtime.py",
]

# every photo shows an object by itself: there is nothing to fuse
train_cfg = dict(stages=[dict(epochs=250, views=1, frozen=["volume_fusion"])])
