# SPDX-License-Identifier: MIT
from voxrecon.cli.retrieved_shapes import main

if __name__ == "__main__":
    main()
