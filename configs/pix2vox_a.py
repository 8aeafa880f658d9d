# Pix2Vox-A (Xie et al., ICCV 2019): 114,244,467 parameters.
# Table row: ShapeNet, 32^3, t = 0.3: IoU 0.661 (1 view), 0.686 (2), 0.693 (3), 0.706 (20).
_base_ = ["pix2vox_f.py"]

model = dict(
    neck=dict(
        layers=[
            dict(channels=512, kernel=3),
            dict(channels=512, kernel=3, pool=3),
            dict(channels=256, kernel=1),
        ],
    ),
    decoder=dict(seed=(2048, 2, 2, 2), channels=(512, 128, 32, 8)),
    refiner=dict(type="UNet3DRefiner", grid_size=32, channels=(32, 64, 128), hidden=2048),
)
