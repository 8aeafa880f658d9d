# A small Pix2Vox-LSTM for a CPU. Table row: none; figures of our own are in docs/comparison.md.
_base_ = ["../../../configs/pix2vox_small.py"]

model = dict(feature_fusion=dict(type="ConvLSTMFusion", channels=64, kernel=3))
train_dataloader = dict(dataset=dict(order="azimuth"))
val_dataloader = dict(dataset=dict(order="azimuth"))
test_dataloader = dict(dataset=dict(order="azimuth"))
