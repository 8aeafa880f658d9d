# Pix2Vox++/F with the fusion of this package.
_base_ = "voxrecon::configs/pix2voxpp_f.py"

model = dict(volume_fusion=dict(_delete_=True, type="PowerMeanFusion", power=3.0))
# one stage: a power mean learns from single views and from several alike
train_cfg = dict(stages=[dict(epochs=250, views=(1, 3))])
