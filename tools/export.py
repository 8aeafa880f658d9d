# SPDX-License-Identifier: MIT
from voxrecon.cli.export import main

if __name__ == "__main__":
    main()
