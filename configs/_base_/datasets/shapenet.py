# ShapeNet as 3D-R2N2 rendered and voxelised it, with the split of Pix2Vox (taxonomy.json).
data_root = "data/ShapeNet"  # --data-root

train_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),  # the centre of 137x137: published as random, yet fixed
    dict(
        type="DrawAugmentation",
        background=(225, 255),  # grey levels, drawn per channel
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        noise_std=0.1,  # of the PCA lighting's coefficients
        flip=0.5,  # per view; the grid is not mirrored, as published
        permute=True,  # of the colour channels
    ),
    dict(type="PackVoxelInputs"),
]
test_pipeline = [
    dict(type="LoadViews"),
    dict(type="LoadVoxels"),
    dict(type="CropViews", size=128),
    dict(type="PackVoxelInputs"),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,  # not persistent: forking costs 0.1 s an epoch, ending them late 5 s each
    pin_memory=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    batch_sampler=dict(type="ViewBatchSampler", drop_last=True),
    collate_fn=dict(type="default_collate"),
    dataset=dict(type="R2N2Dataset", data_root=data_root, split="train", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    pin_memory=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    batch_sampler=dict(type="ViewBatchSampler", drop_last=False),  # as many views as the stage has
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        type="R2N2Dataset",
        data_root=data_root,
        split="val",
        pipeline=test_pipeline,
        test_mode=True,
        skip_bad=True,  # named and counted; a broken sample does not end a training
    ),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=2,
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        type="R2N2Dataset",
        data_root=data_root,
        split="test",
        pipeline=test_pipeline,
        test_mode=True,
        n_views=1,  # --views
    ),
)

val_evaluator = dict(type="VoxelIoU", protocol="pix2vox")
test_evaluator = dict(type="VoxelIoU", protocol="pix2vox")
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
