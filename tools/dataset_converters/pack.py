# SPDX-License-Identifier: MIT
from voxrecon.cli.pack import main

if __name__ == "__main__":
    main()
