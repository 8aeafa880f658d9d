# Pix2Vox++/A (Xie et al., IJCV 2020): 96,329,421 parameters.
# Table row: ShapeNet, 32^3, t = 0.3: IoU 0.670 (1 view), 0.695 (2), 0.704 (3), 0.719 (20).
_base_ = [
    "_base_/models/pix2voxpp_a.py",
    "_base_/datasets/shapenet.py",
    "_base_/schedules/pix2vox.py",
    "_base_/default_runtime.py",
]
