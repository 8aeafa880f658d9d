# The small Pix2Vox++ that `make quickstart` trains on Shapes13: ten minutes on two CPU cores.
# Table row: none; figures of our own are in docs/shapes13.md.
_base_ = ["pix2voxpp_small.py"]

data_root = "data/quickstart"
train_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))

optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(volume_fusion=dict(lr_mult=0.1))), clip_grad=None
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=150),
    dict(type="CosineAnnealingLR", T_max=36, convert_to_iter_based=True),
]
# single views first, as published: that is the cheapest way to a good encoder and decoder
train_cfg = dict(
    stages=[
        dict(epochs=36, views=1, frozen=["volume_fusion"]),
        # a single view teaches the fusion nothing
        dict(epochs=1, views=(2, 4), frozen=["backbone", "neck", "decoder"]),
    ],
    val_interval=4,
)
