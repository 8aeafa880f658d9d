# SPDX-License-Identifier: MIT
from voxrecon.cli.report import main

if __name__ == "__main__":
    main()
