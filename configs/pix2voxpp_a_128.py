# Pix2Vox++/A on 128^3 grids. Table row: no verified row (the released code has 32^3 only).
_base_ = ["pix2voxpp_a.py"]

# two more doublings at the width of the last; the refiner starts two levels higher, at a quarter
model = dict(
    decoder=dict(channels=(512, 128, 32, 8, 8, 8)),
    refiner=dict(grid_size=128, channels=(8, 16, 32, 64, 128)),
)
train_dataloader = dict(dataset=dict(grid_size=128))  # reads ShapeNetVox128
val_dataloader = dict(dataset=dict(grid_size=128))
test_dataloader = dict(dataset=dict(grid_size=128))
