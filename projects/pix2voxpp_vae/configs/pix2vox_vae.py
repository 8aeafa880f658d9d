# Pix2Vox-VAE as in its public code: Pix2Vox-A with a latent of 64 values: 117,406,707 parameters.
# Table row: no verified row on the test split (validation numbers per group of classes: README).
_base_ = ["../../../configs/pix2vox_a.py"]

model = dict(
    feature_fusion=dict(
        type="VAEBottleneck",
        in_features=16384,  # 256 x 8 x 8
        latent=64,
        kl_weight=1e-4,
        kl_reduction="sum",  # over the batch too: the weight holds for 64 objects a step
        aggregation="mean",
    ),
    decoder=dict(stem=64),
)

# 1e-4, of the refiner 1e-3
optim_wrapper = dict(
    optimizer=dict(lr=1e-4),
    paramwise_cfg=dict(custom_keys=dict(_delete_=True, refiner=dict(lr_mult=10.0))),
)
param_scheduler = [dict(type="MultiStepLR", milestones=[100], gamma=0.5)]

train_cfg = dict(
    # one latent is one volume, which the fusion passes unchanged: it has nothing to learn
    stages=[dict(epochs=150, views=1, frozen=["volume_fusion"])],
)
