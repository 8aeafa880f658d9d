# SPDX-License-Identifier: MIT
from voxrecon.cli.render_meshes import main

if __name__ == "__main__":
    main()
