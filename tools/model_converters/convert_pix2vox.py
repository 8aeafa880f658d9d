# SPDX-License-Identifier: MIT
from voxrecon.cli.convert_pix2vox import main

if __name__ == "__main__":
    main()
