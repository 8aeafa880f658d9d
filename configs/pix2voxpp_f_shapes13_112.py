# The first part of the training of configs/pix2voxpp_f_shapes13.py, at half the resolution: one
# pooling less leaves the features at 7 x 7, so the weights fit both, for a third of the time.
# Table row: none.
_base_ = ["_base_/shapes13_f.py"]

model = dict(
    data_preprocessor=dict(size=112),
    neck=dict(
        layers=[
            dict(channels=128, kernel=3, padding=1),
            dict(channels=64, kernel=3, padding=1, pool=2),
            dict(channels=64, kernel=3, padding=1),
        ],
    ),
)

optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=150),
    dict(type="CosineAnnealingLR", T_max=16, convert_to_iter_based=True),
]
train_cfg = dict(
    stages=[dict(epochs=16, views=1, frozen=["volume_fusion"])],
    val_interval=2,
)
