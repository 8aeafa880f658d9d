# SPDX-License-Identifier: MIT
from voxrecon.cli.things3d import main

if __name__ == "__main__":
    main()
