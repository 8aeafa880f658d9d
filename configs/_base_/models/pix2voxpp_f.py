# The network of Pix2Vox++/F.
model = dict(
    type="VoxelReconstructor",
    data_preprocessor=dict(type="VoxelDataPreprocessor", size=224, channel_order="bgr"),
    # up to layer2, trained; the known code draws random weights over the pretrained ones here too
    backbone=dict(
        type="TimmBackbone",
        name="resnet18.tv_in1k",
        stop="layer2",
        weights="pretrained",
    ),
    neck=dict(
        type="ConvNeck",
        in_channels=128,
        act="relu",
        layers=[
            dict(channels=128, kernel=3, padding=1),
            dict(channels=64, kernel=3, padding=1, pool=2),
            dict(channels=64, kernel=3, padding=1, pool=2),
        ],
    ),
    decoder=dict(type="Pix2VoxDecoder", seed=(392, 2, 2, 2), channels=(128, 64, 32, 8)),
    volume_fusion=dict(type="MultiScaleContextAwareFusion"),
    loss=dict(type="BCELoss", weight=10.0),
)
