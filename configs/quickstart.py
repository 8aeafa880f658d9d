# A small Pix2Vox++ that `make quickstart` trains on Shapes13: ten minutes on two CPU cores.
# Table row: none; figures of our own are in docs/shapes13.md.
_base_ = ["pix2voxpp_f.py"]

model = dict(
    data_preprocessor=dict(size=64, channel_order="rgb"),
    backbone=dict(weights="random"),  # nothing is downloaded
    neck=dict(
        layers=[
            dict(channels=128, kernel=3, padding=1),
            dict(channels=64, kernel=3, padding=1, pool=2),  # 64 x 4 x 4: the seed below
        ],
    ),
    # head_std: the published initialisation does not leave the mean shape within a thousand steps
    decoder=dict(seed=(128, 2, 2, 2), channels=(96, 32, 16, 8), head_std=0.3),
    volume_fusion=dict(scales=2),
    loss=[dict(type="BCELoss", weight=10.0), dict(type="DiceLoss", weight=5.0)],
)

train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),
    # milder than published, which takes longer to learn; no flips: many objects are asymmetric
    dict(
        type="DrawAugmentation",
        background=(225, 255),
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
        noise_std=0.0,
        flip=0.0,
        permute=False,
    ),
    dict(type="PackVoxelInputs"),
]
data_root = "data/quickstart"
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))
test_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))

optim_wrapper = dict(optimizer=dict(lr=5e-3))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=150),
    dict(type="CosineAnnealingLR", T_max=36, convert_to_iter_based=True),
]
train_cfg = dict(
    stages=[
        dict(epochs=36, views=1, frozen=["volume_fusion"]),
        # a single view teaches the fusion nothing
        dict(epochs=1, views=(2, 4), frozen=["backbone", "neck", "decoder"]),
    ],
    val_interval=4,
)
