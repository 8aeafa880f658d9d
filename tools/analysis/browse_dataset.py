# SPDX-License-Identifier: MIT
from voxrecon.cli.browse_dataset import main

if __name__ == "__main__":
    main()
