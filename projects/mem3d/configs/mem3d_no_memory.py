# Mem3D without its memory: the prior is always zero, there is no LSTM and no triplet loss.
# 69,819,800 parameters. Table row: no verified row.
_base_ = ["mem3d.py"]

model = dict(feature_fusion=dict(slots=0))
