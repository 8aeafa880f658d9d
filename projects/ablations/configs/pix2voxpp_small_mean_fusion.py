# The small Pix2Vox++ with the mean of the coarse volumes in place of its fusion. Table row: none;
# figures of our own are in docs/comparison.md.
_base_ = ["../../../configs/pix2voxpp_small.py"]

model = dict(volume_fusion=dict(_delete_=True, type="MeanFusion"))
