# Pix2Vox++/A on 64^3 grids. Table row: no verified row (the released code has 32^3 only).
_base_ = ["pix2voxpp_a.py"]

# one more doubling at the width of the last; the refiner starts one level higher, at half its width
model = dict(
    decoder=dict(channels=(512, 128, 32, 8, 8)),
    refiner=dict(grid_size=64, channels=(16, 32, 64, 128)),
)
train_dataloader = dict(dataset=dict(grid_size=64))  # reads ShapeNetVox64
val_dataloader = dict(dataset=dict(grid_size=64))
test_dataloader = dict(dataset=dict(grid_size=64))
