# SPDX-License-Identifier: MIT
from voxrecon.cli.compare import main

if __name__ == "__main__":
    main()
