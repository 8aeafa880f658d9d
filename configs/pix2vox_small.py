# A small Pix2Vox-A for a CPU. Table row: none; figures of our own are in docs/comparison.md.
_base_ = ["pix2voxpp_small.py"]

model = dict(
    neck=dict(act="elu"),
    volume_fusion=dict(_delete_=True, type="ContextAwareFusion"),
    refiner=dict(type="UNet3DRefiner", grid_size=32, channels=(8, 16, 32), hidden=256),
)
