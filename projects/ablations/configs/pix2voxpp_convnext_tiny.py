# Pix2Vox++/A with ConvNeXt-T (Liu et al., CVPR 2022) as trunk. Table row: none.
_base_ = ["../../../configs/pix2voxpp_a.py"]

model = dict(
    backbone=dict(name="convnext_tiny.fb_in1k", stop=1),  # the second stage: 192 x 28 x 28
    neck=dict(in_channels=192),
)
