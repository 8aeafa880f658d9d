# Trained on the chairs of ShapeNet, tested on the whole, unoccluded chairs of Pix3D (2,894 photos).
# Two folders of data: docs/datasets.md says how to give both.
_base_ = ["shapenet.py"]

photo_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropBoxes", size=224),
    dict(type="PackVoxelInputs"),
]

train_dataloader = dict(dataset=dict(classes=["03001627"]))
val_dataloader = dict(
    dataset=dict(
        type="Pix3DDataset",
        data_root="data/Pix3D",
        classes=["chair"],
        pipeline=photo_pipeline,  # of split val, for which the test split stands in, as published
    ),
)
test_dataloader = dict(
    dataset=dict(
        type="Pix3DDataset", data_root="data/Pix3D", classes=["chair"], pipeline=photo_pipeline
    ),
)
