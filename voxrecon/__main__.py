# SPDX-License-Identifier: MIT
from voxrecon.cli.main import main

if __name__ == "__main__":
    main()
