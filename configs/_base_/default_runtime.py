default_scope = "voxrecon"
randomness = dict(seed=0)
log_level = "INFO"
log_processor = dict(window_size=1)  # values as they are, not means over the last steps

default_hooks = dict(
    # each epoch (published: every tenth), so that a killed run loses one at most; two are kept, so
    # that a broken newest file can be replaced; best by the mean IoU at the best threshold
    checkpoint=dict(type="EpochCheckpointHook", interval=1, keep=2, best="iou"),
    logger=dict(type="LoggerHook", interval=20),
    # off: epochs are part of what was published; else validations without a better one
    early_stopping=dict(type="StageEarlyStoppingHook", patience=None),
)
custom_hooks = [
    dict(type="SummaryHook"),
    dict(type="CloseVisualizerHook"),
    dict(type="ProgressHook"),
    dict(type="SyncBuffersHook"),
    dict(type="BrokenSamplesHook"),
    dict(type="ReconstructionHook", count=4, interval=10),  # pictures at validation
]

vis_backends = [dict(type="LocalVisBackend")]
# track: "tensorboard", "wandb" or "mlflow" as well
visualizer = dict(type="TrackingVisualizer", vis_backends=vis_backends, track=None)

env_cfg = dict(
    cudnn_benchmark=False,  # would choose other kernels in a resumed run
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),  # gloo without a GPU
)
