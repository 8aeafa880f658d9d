# The Pix2Vox++/F that ships with voxrecon, trained on Shapes13 (400 objects a class, 12 views of
# each); its figures are in its model card, voxrecon/pretrained/pix2voxpp_f_shapes13/README.md.
# Table row: none.
_base_ = ["pix2voxpp_small.py"]

model = dict(
    # the renderings have 128 pixels, and at 224 a step takes 1.7 times as long; one pooling less
    # leaves the features at 7 x 7
    data_preprocessor=dict(size=112),
    neck=dict(
        layers=[
            dict(channels=128, kernel=3, padding=1),
            dict(channels=64, kernel=3, padding=1, pool=2),
            dict(channels=64, kernel=3, padding=1),
        ],
    ),
    # the widths of the paper
    decoder=dict(seed=(392, 2, 2, 2), channels=(128, 64, 32, 8)),
    volume_fusion=dict(_delete_=True, type="MultiScaleContextAwareFusion"),
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
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))

optim_wrapper = dict(
    optimizer=dict(lr=2e-3),
    # at the full rate all eight weights of the head turn negative while the grids are still
    # mostly empty, and no probability ever exceeds a half
    paramwise_cfg=dict(custom_keys={"decoder.head": dict(lr_mult=0.1)}),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=150),
    dict(type="CosineAnnealingLR", T_max=16, convert_to_iter_based=True),
]
train_cfg = dict(
    stages=[
        dict(epochs=16, views=1, frozen=["volume_fusion"]),
        # the learning rate rises and falls once more: IoU of the validation 0.457, then 0.500
        dict(
            epochs=28,
            views=1,
            frozen=["volume_fusion"],
            optim_wrapper=dict(
                type="OptimWrapper",
                optimizer=dict(type="Adam", lr=1.5e-3),
                paramwise_cfg=dict(custom_keys={"decoder.head": dict(lr_mult=0.1)}),
                clip_grad=dict(max_norm=5),
            ),
            param_scheduler=[
                dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=150),
                dict(type="CosineAnnealingLR", T_max=28, convert_to_iter_based=True),
            ],
        ),
        # a single view teaches the fusion nothing
        dict(
            epochs=1,
            views=2,
            frozen=["backbone", "neck", "decoder"],
            optim_wrapper=dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-3)),
            param_scheduler=[dict(type="CosineAnnealingLR", T_max=1, convert_to_iter_based=True)],
        ),
    ],
    val_interval=2,
)
