# A small Mem3D for a CPU. Table row: none; figures of our own are in docs/comparison.md.
_base_ = ["../../../configs/pix2voxpp_small.py"]

model = dict(
    feature_fusion=dict(
        type="MemoryBankFusion",
        in_shape=(64, 4, 4),
        grid_size=32,
        slots=1000,
        hidden=256,
        embedding=(4, 8, 16),  # 16 x 4 x 4 x 4 a step
        limit=6,  # the steps are what takes time
    ),
    decoder=dict(seed=(160, 2, 2, 2)),  # 1024 values of a view and 256 of the prior
    volume_fusion=dict(_delete_=True, type="MeanFusion"),
)
