# Mem3D (Yang et al., CVPR 2021), with a voxel embedding of ours before its LSTM.
# 120,332,808 parameters. Table row: no verified row (0.729 overall is recalled, not read).
_base_ = ["../../../configs/pix2voxpp_a.py"]  # its encoder, and its schedule: 1e-3, halved at 150

model = dict(
    feature_fusion=dict(
        type="MemoryBankFusion",
        in_shape=(256, 7, 7),
        grid_size=32,
        slots=4000,
        hidden=2048,
        embedding=(16, 32, 64),  # 64 x 4 x 4 x 4 a grid; the paper names no embedding
        beta=0.85,
        delta=0.9,
        similarity="mse",  # as published; "iou" tells sparse shapes apart
        margin=0.1,
        triplet_weight=1.0,  # not known: the plain sum
        limit=16,  # ours: keys come close to each other, and would all be read
    ),
    decoder=dict(seed=(1824, 2, 2, 2)),  # 256 x 7 x 7 and 2048, behind each other
    volume_fusion=dict(_delete_=True, type="MeanFusion"),  # the paper has one view only
    refiner=None,
    loss=dict(weight=1.0),
)
train_dataloader = dict(batch_size=32)
# single views; the number of epochs is not known, this is that of Pix2Vox++
train_cfg = dict(stages=[dict(epochs=250, views=1)])
