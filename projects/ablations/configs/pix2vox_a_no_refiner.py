# Pix2Vox-A without its refiner: 79,364,115 parameters.
# Table row: arXiv v1, t = 0.4: IoU 0.643 (1 view), against 0.658 with it.
_base_ = ["../../../configs/pix2vox_a.py"]

model = dict(refiner=None)
