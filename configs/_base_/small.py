# A budget that two CPU cores can meet, the same for every network that is compared on Shapes13:
# data, trunk, schedule. What follows the trunk is each network's own.
_base_ = ["datasets/shapenet.py", "schedules/pix2vox.py", "default_runtime.py"]

model = dict(
    type="VoxelReconstructor",
    data_preprocessor=dict(type="VoxelDataPreprocessor", size=64, channel_order="rgb"),
    # up to layer2: 128 x 8 x 8; random, so nothing is downloaded
    backbone=dict(type="TimmBackbone", name="resnet18.tv_in1k", stop="layer2", weights="random"),
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
data_root = "data/shapes13"
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))
test_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))

# one rate for all parts; gradients are limited, since without normalisation 3D-R2N2 collapses
optim_wrapper = dict(
    optimizer=dict(lr=5e-3), paramwise_cfg=dict(_delete_=True), clip_grad=dict(max_norm=5)
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=150),
    dict(type="CosineAnnealingLR", T_max=12, convert_to_iter_based=True),
]
train_cfg = dict(
    stages=[
        # single views, which teach a volume fusion nothing; that is where the steps are cheap
        dict(epochs=12, views=1, frozen=["volume_fusion"]),
        # then all parts together, at a fifth of the rate
        dict(
            epochs=2,
            views=(2, 3),
            optim_wrapper=dict(
                type="OptimWrapper",
                optimizer=dict(type="Adam", lr=1e-3),
                clip_grad=dict(max_norm=5),
            ),
            param_scheduler=[dict(type="CosineAnnealingLR", T_max=2, convert_to_iter_based=True)],
        ),
    ],
    val_interval=2,
)
