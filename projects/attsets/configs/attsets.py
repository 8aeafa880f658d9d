# AttSets on the base of 3D-R2N2 (Yang et al., IJCV 2020): 17,709,025 parameters.
# Table row: ShapeNet, 32^3: IoU 0.642 (1 view), 0.662 (2), 0.670 (3), 0.677 (5), 0.693 (20).
_base_ = ["../../r2n2/configs/r2n2.py"]  # the same images and augmentation

model = dict(
    backbone=dict(
        skips=("none", "conv", "conv", "none", "conv", "conv"), padded_pool=False, slope=0.2
    ),
    neck=dict(in_features=1024, slope=0.2),  # 256 x 2 x 2
    feature_fusion=dict(_delete_=True, type="AttSetsFusion", features=1024),
    decoder=dict(type="AttSetsDecoder", in_features=1024, slope=0.2),
    volume_fusion=dict(_delete_=True, type="MeanFusion"),  # of the one volume that the set gives
    init_cfg=dict(
        _delete_=True,
        type="Xavier",
        layer=["Conv2d", "ConvTranspose3d", "Linear"],
        distribution="uniform",
    ),
)

# published: 4 objects of up to 24 views a step, which are 96 single views to the base; here a step
# has the same number of objects in both stages
train_dataloader = dict(batch_size=24)
optim_wrapper = dict(_delete_=True, type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
param_scheduler = []  # a constant rate
# FASet: the base learns from single views, then the attention alone from sets. Ours: the epochs of
# both, and 8 views at most, for the sake of memory
train_cfg = dict(
    stages=[
        dict(epochs=71, views=1, frozen=["feature_fusion"]),
        dict(epochs=20, views=(2, 8), frozen=["backbone", "neck", "decoder"]),
    ],
)
