# Pix2Vox++/A for Pix3D, trained on ShapeNet chairs in front of photos, the recipe of RenderForCNN.
# Table row: no verified row. The published set, ShapeNet-Chairs-RfC, was never released (60
# renderings an object at other distances and tilts, on SUN); here are 24 of whole objects.
_base_ = ["pix2voxpp_a_pix3d.py"]

train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),
    dict(type="AddBackground", folder="data/backgrounds"),  # JPEG or PNG, in folders of any depth
    dict(
        type="DrawAugmentation",
        background=(225, 255),
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        noise_std=0.1,
        flip=0.5,
        permute=True,
    ),
    dict(type="PackVoxelInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
