# Pix2Vox++/A on Things3D. Table row: no verified row (0.269 on Pix3D chairs, trained on the chairs
# of Things3D).
_base_ = [
    "_base_/models/pix2voxpp_a.py",
    "_base_/datasets/things3d.py",
    "_base_/schedules/pix2vox.py",
    "_base_/default_runtime.py",
]
