# The published schedule of Pix2Vox and Pix2Vox++ (one GPU, 64 objects a step).
# Each stage starts with a new optimizer and schedule; how the authors went on is not published.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-3, betas=(0.9, 0.999)),
    paramwise_cfg=dict(custom_keys=dict(volume_fusion=dict(lr_mult=0.1))),  # 1e-4
)
param_scheduler = [dict(type="MultiStepLR", milestones=[150], gamma=0.5)]

train_cfg = dict(
    type="StageLoop",
    stages=[
        # all but the fusion, which passes a single view unchanged
        dict(epochs=250, views=1, frozen=["volume_fusion"]),
        # 1..n views, encoder and decoder fixed (the author, in the public tracker; his example
        # has n = 3, the paper's n is not published)
        dict(epochs=100, views=(1, 3), frozen=["backbone", "neck", "decoder"]),
    ],
    val_interval=1,
)
