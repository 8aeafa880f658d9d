# SPDX-License-Identifier: MIT
from voxrecon.cli.order_sensitivity import main

if __name__ == "__main__":
    main()
