# Pix2Vox-F (Xie et al., ICCV 2019): 7,436,307 parameters.
# Table row: ShapeNet, 32^3, t = 0.3: IoU 0.634 (1 view), 0.660 (2), 0.668 (3), 0.684 (20).
_base_ = [
    "_base_/datasets/shapenet.py",
    "_base_/schedules/pix2vox.py",
    "_base_/default_runtime.py",
]

model = dict(
    type="VoxelReconstructor",
    data_preprocessor=dict(type="VoxelDataPreprocessor", size=224, channel_order="bgr"),
    # the paper says nine convolutions of VGG-16, the released code takes eight; frozen, its batch
    # norm in train mode. The public trainer draws random weights over the pretrained ones
    # (weights="reinitialised"); we keep the pretrained ones, as the paper says.
    backbone=dict(
        type="TimmBackbone",
        name="vgg16_bn.tv_in1k",
        stop="features.26",
        weights="pretrained",
        frozen=True,
    ),
    neck=dict(
        type="ConvNeck",
        in_channels=512,
        act="elu",
        layers=[
            dict(channels=512, kernel=1),
            dict(channels=256, kernel=3, pool=4),  # the paper swaps the pools of F and A
            dict(channels=128, kernel=3),
        ],
    ),
    decoder=dict(type="Pix2VoxDecoder", seed=(256, 2, 2, 2), channels=(128, 64, 32, 8)),
    volume_fusion=dict(type="ContextAwareFusion"),
    loss=dict(type="BCELoss", weight=10.0),
)
