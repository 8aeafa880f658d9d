# What both parts of the training of configs/pix2voxpp_f_shapes13.py share.
_base_ = [
    "models/pix2voxpp_f.py",
    "datasets/shapenet.py",
    "schedules/pix2vox.py",
    "default_runtime.py",
]

model = dict(
    data_preprocessor=dict(channel_order="rgb"),
    backbone=dict(weights="random"),
    # from the published initialisation a short training does not leave the mean shape
    decoder=dict(head_std=0.3),
    loss=[dict(type="BCELoss", weight=10.0), dict(type="DiceLoss", weight=5.0)],
)

train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),
    # no flips: many objects are asymmetric
    dict(
        type="DrawAugmentation",
        background=(225, 255),
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        noise_std=0.1,
        flip=0.0,
        permute=False,
    ),
    dict(type="PackVoxelInputs"),
]
data_root = "data/shapes13"
train_dataloader = dict(
    batch_size=16, num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline)
)
val_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))
test_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))

optim_wrapper = dict(
    # at the full rate all eight weights of the head turn negative while the grids are still
    # mostly empty, and no probability ever exceeds a half
    paramwise_cfg=dict(_delete_=True, custom_keys={"decoder.head": dict(lr_mult=0.1)}),
    clip_grad=dict(max_norm=5),
)
