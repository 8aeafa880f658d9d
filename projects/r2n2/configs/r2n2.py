# 3D-R2N2, Res3D-GRU-3 (Choy et al., ECCV 2016): 35,968,706 parameters.
# Table row: ShapeNet, 32^3: IoU 0.560 (1 view), 0.603 (2), 0.617 (3) on the paper's own split.
_base_ = [
    "../../../configs/_base_/datasets/shapenet.py",
    "../../../configs/_base_/default_runtime.py",
]

model = dict(
    type="VoxelReconstructor",
    # values stay in [0, 1]
    data_preprocessor=dict(
        type="VoxelDataPreprocessor", size=127, mean=(0, 0, 0), std=(1, 1, 1), channel_order="rgb"
    ),
    backbone=dict(type="ResidualEncoder", channels=(96, 128, 256, 256, 256, 256)),
    neck=dict(type="DenseNeck", in_features=2304, features=1024),  # 256 x 3 x 3
    feature_fusion=dict(type="ConvGRUFusion", in_features=1024, channels=128, side=4),
    decoder=dict(type="R2N2Decoder", seed=(128, 4, 4, 4), channels=(128, 128, 64), head=32),
    volume_fusion=dict(type="LastFusion"),
    # cross entropy of two channels behind a softmax is that of the second alone
    loss=dict(type="BCELoss", weight=1.0),
    # a variance of 4 / (fan-in + fan-out), as the released code draws it
    init_cfg=dict(type="Xavier", layer=["Conv2d", "Conv3d", "Linear"], gain=2**0.5, bias=0.1),
)

train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=127, random=True),
    dict(
        type="DrawAugmentation",
        background=(225, 255),
        brightness=0.0,
        contrast=0.0,
        saturation=0.0,
        noise_std=0.0,
        flip=0.5,
        permute=False,
    ),
    dict(type="PackVoxelInputs"),
]
test_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=127),
    dict(type="PackVoxelInputs"),
]
train_dataloader = dict(batch_size=36, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-4, weight_decay=5e-5),
    paramwise_cfg=dict(bias_decay_mult=0.0),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=False, milestones=[20000], gamma=0.1)]
# 71 epochs of 851 steps: the published 60,000 steps
train_cfg = dict(type="StageLoop", stages=[dict(epochs=71, views=(1, 5))], val_interval=1)
