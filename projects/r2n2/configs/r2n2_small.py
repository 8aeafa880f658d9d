# A small 3D-R2N2 for a CPU, on the trunk that all small networks share. Table row: none; figures of
# our own are in docs/comparison.md.
_base_ = ["../../../configs/_base_/small.py"]

model = dict(
    neck=dict(type="DenseNeck", in_features=8192, features=256),  # 128 x 8 x 8 of the trunk
    feature_fusion=dict(type="ConvGRUFusion", in_features=256, channels=32, side=4),
    decoder=dict(type="R2N2Decoder", seed=(32, 4, 4, 4), channels=(32, 16, 8), head=8),
    volume_fusion=dict(type="LastFusion"),
    init_cfg=dict(type="Xavier", layer=["Conv2d", "Conv3d", "Linear"], gain=2**0.5, bias=0.1),
)
