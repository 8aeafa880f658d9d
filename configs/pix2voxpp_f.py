# Pix2Vox++/F (Xie et al., IJCV 2020): 4,843,245 parameters.
# Table row: no verified row.
_base_ = [
    "_base_/models/pix2voxpp_f.py",
    "_base_/datasets/shapenet.py",
    "_base_/schedules/pix2vox.py",
    "_base_/default_runtime.py",
]
