# Things3D: ShapeNet objects in the rooms of SUNCG, pictures of 256 x 256, the object in the middle.
_base_ = ["shapenet.py"]

data_root = "data/Things3D"  # --data-root
train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=256),
    dict(
        type="DrawAugmentation",
        background=(225, 255),  # the rooms are opaque: only what is beyond them is filled
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
    dict(type="CropViews", size=256),
    dict(type="PackVoxelInputs"),
]

train_dataloader = dict(
    dataset=dict(type="Things3DDataset", data_root=data_root, pipeline=train_pipeline)
)
val_dataloader = dict(
    dataset=dict(type="Things3DDataset", data_root=data_root, pipeline=test_pipeline)
)
test_dataloader = dict(
    dataset=dict(type="Things3DDataset", data_root=data_root, pipeline=test_pipeline)
)
