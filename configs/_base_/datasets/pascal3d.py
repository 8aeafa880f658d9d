# Pascal 3D+ (photos of ImageNet, 12 classes), as in the first version of the Pix2Vox paper. Train
# and test share their CAD models.
_base_ = ["shapenet.py"]

data_root = "data/PASCAL3D+_release1.1"  # --data-root
train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropBoxes", size=224, jitter=True),
    dict(
        type="DrawAugmentation",
        background=(225, 255),  # photos are opaque: nothing to be filled
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        noise_std=0.1,
        flip=0.5,
        permute=True,
    ),
    dict(type="PackVoxelInputs"),
]
test_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropBoxes", size=224),
    dict(type="PackVoxelInputs"),
]

train_dataloader = dict(
    dataset=dict(type="Pascal3DDataset", data_root=data_root, pipeline=train_pipeline)
)
val_dataloader = dict(  # of split val, for which the test split stands in, as published
    dataset=dict(type="Pascal3DDataset", data_root=data_root, pipeline=test_pipeline)
)
test_dataloader = dict(
    dataset=dict(type="Pascal3DDataset", data_root=data_root, pipeline=test_pipeline)
)
