# The small Mem3D without its memory: the prior is zero. Table row: none; figures of our own are in
# docs/comparison.md.
_base_ = ["mem3d_small.py"]

model = dict(feature_fusion=dict(slots=0))
