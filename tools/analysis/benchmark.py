# SPDX-License-Identifier: MIT
from voxrecon.cli.benchmark import main

if __name__ == "__main__":
    main()
