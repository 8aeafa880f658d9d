# The small Pix2Vox-LSTM on views in random order: what is the order by azimuth worth? Table row:
# none; figures of our own are in docs/comparison.md.
_base_ = ["pix2vox_lstm_small.py"]

train_dataloader = dict(dataset=dict(order="first"))
val_dataloader = dict(dataset=dict(order="first"))
test_dataloader = dict(dataset=dict(order="first"))
