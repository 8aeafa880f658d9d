# Pix2Vox-LSTM with a 3D ConvLSTM on the decoder's seed, as its name ("Conv3DLSTM") says: the full
# kernel on 2048 channels would take 906 M parameters, so it works between 1x1x1 convolutions.
# 118,310,387 parameters. Table row: no verified row.
_base_ = ["pix2vox_lstm.py"]

model = dict(
    feature_fusion=dict(channels=2048, grid=(2048, 2, 2, 2), bottleneck=128),
)
