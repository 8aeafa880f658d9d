# SPDX-License-Identifier: MIT
from voxrecon.cli.check_dataset import main

if __name__ == "__main__":
    main()
