# A small Pix2Vox++ VAE for a CPU. Table row: none; figures of our own are in docs/comparison.md.
_base_ = ["../../../configs/pix2voxpp_small.py"]

model = dict(
    feature_fusion=dict(
        type="VAEBottleneck",
        in_features=1024,
        latent=64,
        kl_weight=6.4e-3,  # 64 x 1e-4, the published weight on a sum over 64 objects
        kl_reduction="mean",
        aggregation="poe",
    ),
    decoder=dict(stem=64),
    volume_fusion=dict(_delete_=True, type="MeanFusion"),  # there is one volume only
)
