# The small Mem3D on occluded objects before crowded backgrounds, in training and in testing. Table
# row: none; figures of our own are in docs/comparison.md.
_base_ = ["mem3d_small.py"]

train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),
    dict(type="AddClutter"),
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
test_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),
    dict(type="AddClutter"),
    dict(type="PackVoxelInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
