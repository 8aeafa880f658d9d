# Pix2Vox-LSTM on a class that one has captured: four views of each object (front, right, back and
# left: azimuth 0, 90, 180, 270), in the layout of the data sets. Fine-tune the network of
# pix2vox_lstm.py by --load-from, as the project did with feet. Table row: no verified row.
_base_ = ["pix2vox_lstm.py"]

model = dict(eval_views=(4,))
data_root = "data/captured"
train_dataloader = dict(batch_size=4, dataset=dict(data_root=data_root, n_views=4))  # few objects
val_dataloader = dict(dataset=dict(data_root=data_root, n_views=4))
test_dataloader = dict(dataset=dict(data_root=data_root, n_views=4))

# ours: a tenth of the rate, since the network is trained already
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [dict(type="MultiStepLR", milestones=[40], gamma=0.5)]
train_cfg = dict(stages=[dict(epochs=60, views=4)])
