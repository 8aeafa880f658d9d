# SPDX-License-Identifier: MIT
import torch

torch.set_num_threads(1)  # the networks of the tests are too small for more
