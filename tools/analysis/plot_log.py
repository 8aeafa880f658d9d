# SPDX-License-Identifier: MIT
from voxrecon.cli.plot_log import main

if __name__ == "__main__":
    main()
