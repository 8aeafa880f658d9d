# SPDX-License-Identifier: MIT
from voxrecon.cli.compare_configs import main

if __name__ == "__main__":
    main()
