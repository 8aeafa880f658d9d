# A small Pix2Vox++/F for a CPU. Table row: none; figures of our own are in docs/comparison.md.
_base_ = ["_base_/small.py"]

model = dict(
    neck=dict(
        type="ConvNeck",
        in_channels=128,
        act="relu",
        layers=[
            dict(channels=128, kernel=3, padding=1),
            dict(channels=64, kernel=3, padding=1, pool=2),  # 64 x 4 x 4: the seed below
        ],
    ),
    # head_std: the published initialisation does not leave the mean shape within a thousand steps
    decoder=dict(
        type="Pix2VoxDecoder", seed=(128, 2, 2, 2), channels=(96, 32, 16, 8), head_std=0.3
    ),
    volume_fusion=dict(type="MultiScaleContextAwareFusion", scales=2),
)
