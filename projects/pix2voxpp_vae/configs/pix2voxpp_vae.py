# Pix2Vox++/A with a latent of 64 values and our changes to the public Pix2Vox-VAE:
# 98,732,664 parameters. Table row: no verified row.
_base_ = ["../../../configs/pix2voxpp_a.py"]

model = dict(
    feature_fusion=dict(
        type="VAEBottleneck",
        in_features=12544,  # 256 x 7 x 7
        latent=64,
        kl_weight=6.4e-3,  # the public 1e-4 of the sum over 64 objects, at any batch size
        kl_reduction="mean",
        aggregation="poe",
    ),
    decoder=dict(stem=64),
    volume_fusion=dict(_delete_=True, type="MeanFusion"),  # of the one volume
)

# as the public Pix2Vox-VAE: 1e-4, of the refiner 1e-3
optim_wrapper = dict(
    optimizer=dict(lr=1e-4),
    paramwise_cfg=dict(custom_keys=dict(_delete_=True, refiner=dict(lr_mult=10.0))),
)
param_scheduler = [dict(type="MultiStepLR", milestones=[100], gamma=0.5)]

train_cfg = dict(
    # several views at once from the start: the product of their Gaussians is learnt, not fused
    stages=[dict(epochs=150, views=(1, 3))],
)
