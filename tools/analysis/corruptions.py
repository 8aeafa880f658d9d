# SPDX-License-Identifier: MIT
from voxrecon.cli.corruptions import main

if __name__ == "__main__":
    main()
