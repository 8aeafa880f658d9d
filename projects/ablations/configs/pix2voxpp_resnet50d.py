# Pix2Vox++/A with ResNet-50-D (He et al., CVPR 2019) as trunk. Table row: none.
_base_ = ["../../../configs/pix2voxpp_a.py"]

model = dict(backbone=dict(name="resnet50d.ra2_in1k"))
