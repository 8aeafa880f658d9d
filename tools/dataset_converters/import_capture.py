# SPDX-License-Identifier: MIT
from voxrecon.cli.import_capture import main

if __name__ == "__main__":
    main()
