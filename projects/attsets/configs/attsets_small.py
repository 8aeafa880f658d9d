# A small AttSets for a CPU, on the trunk that all small networks share. Table row: none; figures of
# our own are in docs/comparison.md.
_base_ = ["../../../configs/_base_/small.py"]

model = dict(
    neck=dict(type="DenseNeck", in_features=8192, features=256, slope=0.2),  # 128 x 8 x 8
    feature_fusion=dict(type="AttSetsFusion", features=256),
    decoder=dict(
        type="AttSetsDecoder",
        in_features=256,
        seed=(32, 4, 4, 4),
        channels=(32, 16, 8),
        head=8,
    ),
    volume_fusion=dict(type="MeanFusion"),  # there is one volume only
    init_cfg=dict(
        type="Xavier", layer=["Conv2d", "ConvTranspose3d", "Linear"], distribution="uniform"
    ),
)
