#!/usr/bin/env bash
# Train on several GPUs of one machine: tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
set -eu
if [ $# -lt 2 ]; then
    echo "usage: tools/dist_train.sh CONFIG GPUS [options of tools/train.py]" >&2
    exit 2
fi
config=$1
gpus=$2
shift 2
exec python -m torch.distributed.run --standalone --nproc-per-node "$gpus" "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
