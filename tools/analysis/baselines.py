# SPDX-License-Identifier: MIT
from voxrecon.cli.baselines import main

if __name__ == "__main__":
    main()
