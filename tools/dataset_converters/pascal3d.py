# SPDX-License-Identifier: MIT
from voxrecon.cli.pascal3d import main

if __name__ == "__main__":
    main()
