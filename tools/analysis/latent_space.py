# SPDX-License-Identifier: MIT
from voxrecon.cli.latent_space import main

if __name__ == "__main__":
    main()
