# The Pix2Vox++/F that ships with voxrecon, trained on Shapes13; its figures are in its model card,
# voxrecon/pretrained/pix2voxpp_f_shapes13/README.md. It goes on from the weights of
# configs/pix2voxpp_f_shapes13_112.py (--load-from). Table row: none.
_base_ = ["_base_/shapes13_f.py"]

optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", T_max=1, convert_to_iter_based=True),
]
train_cfg = dict(
    stages=[
        # from half the resolution to the full one
        dict(epochs=1, views=1, frozen=["volume_fusion"]),
        # a single view teaches the fusion nothing
        dict(
            epochs=1,
            views=(2, 3),
            frozen=["backbone", "neck", "decoder"],
            optim_wrapper=dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-3)),
            param_scheduler=[dict(type="CosineAnnealingLR", T_max=1, convert_to_iter_based=True)],
        ),
    ],
    val_interval=1,
)
