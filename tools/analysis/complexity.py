# SPDX-License-Identifier: MIT
from voxrecon.cli.complexity import main

if __name__ == "__main__":
    main()
