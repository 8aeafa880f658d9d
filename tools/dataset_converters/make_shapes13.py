# SPDX-License-Identifier: MIT
from voxrecon.cli.make_shapes13 import main

if __name__ == "__main__":
    main()
