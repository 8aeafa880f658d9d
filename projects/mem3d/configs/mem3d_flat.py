# Mem3D whose LSTM reads all 32,768 voxels of a grid, as the paper can be read.
# 355,048,856 parameters. Table row: no verified row.
_base_ = ["mem3d.py"]

model = dict(feature_fusion=dict(embedding=()))
