# The network of Pix2Vox++/A.
_base_ = ["pix2voxpp_f.py"]

model = dict(
    backbone=dict(name="resnet50.tv_in1k"),
    neck=dict(
        in_channels=512,
        layers=[
            dict(channels=512, kernel=3, padding=1),
            dict(channels=256, kernel=3, padding=1, pool=2),
            dict(channels=256, kernel=3, padding=1, pool=2),
        ],
    ),
    decoder=dict(seed=(1568, 2, 2, 2), channels=(512, 128, 32, 8)),
    refiner=dict(type="UNet3DRefiner", grid_size=32, channels=(32, 64, 128), hidden=2048),
)
