# Pix2Vox-A with the mean of the coarse volumes in place of the context-aware fusion.
# Table row: arXiv v1, t = 0.4: IoU 0.658 (1 view), 0.675 (2), 0.685 (3), 0.701 (20).
_base_ = ["../../../configs/pix2vox_a.py"]

model = dict(volume_fusion=dict(_delete_=True, type="MeanFusion"))
# the second stage trains what is left beside encoder and decoder: the refiner
