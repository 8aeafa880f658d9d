# A small Pix2Vox++ that `make quickstart` trains on Shapes13, on two CPU cores.
# Table row: none, the figures are our own (docs/shapes13.md).
_base_ = ["pix2voxpp_f.py"]

model = dict(
    data_preprocessor=dict(size=96, channel_order="rgb"),
    backbone=dict(weights="random"),  # nothing is downloaded
    neck=dict(
        layers=[
            dict(channels=128, kernel=3, padding=1),
            dict(channels=64, kernel=3, padding=1, pool=2),
        ],
    ),
    decoder=dict(seed=(288, 2, 2, 2), channels=(128, 64, 32, 8)),
)
