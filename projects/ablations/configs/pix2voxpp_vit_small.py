# Pix2Vox++/A with ViT-S/16 (Dosovitskiy et al., ICLR 2021) as trunk. Table row: none.
_base_ = ["../../../configs/pix2voxpp_a.py"]

model = dict(
    # the fourth of twelve blocks: about as deep as the trunk that it replaces
    backbone=dict(name="vit_small_patch16_224.augreg_in21k_ft_in1k", stop=3),
    neck=dict(
        in_channels=384,
        layers=[
            dict(channels=512, kernel=3, padding=1),
            dict(channels=256, kernel=3, padding=1),  # 14 x 14 already: one pool less
            dict(channels=256, kernel=3, padding=1, pool=2),
        ],
    ),
)
