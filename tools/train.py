# SPDX-License-Identifier: MIT
from voxrecon.cli.train import main

if __name__ == "__main__":
    main()
