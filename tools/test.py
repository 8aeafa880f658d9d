# SPDX-License-Identifier: MIT
from voxrecon.cli.test import main

if __name__ == "__main__":
    main()
