# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import importlib.util
import signal
import tempfile
from pathlib import Path
from threading import Event

from voxrecon.cli.common import add_model_options, check_ranges, guard, parser
from voxrecon.errors import ConfigError


def build_parser() -> argparse.ArgumentParser:
    """The options of ``voxrecon serve``."""
    arguments = parser(
        "serve",
        "A web page on which photos become a shape that can be turned and downloaded. It is for\n"
        "this machine alone unless --host says otherwise, and asks nothing of the internet.",
        "--port 8000",
    )
    add_model_options(arguments)
    arguments.add_argument("--port", type=int, default=7860, metavar="N", help="(default: 7860)")
    arguments.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 lets everyone in (default: 127.0.0.1)",
    )
    arguments.add_argument(
        "--max-photos", type=int, default=24, metavar="N", help="of one object (default: 24)"
    )
    arguments.add_argument(
        "--max-megabytes", type=float, default=10, metavar="M", help="of each photo (default: 10)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``voxrecon serve``."""
    return build_parser().parse_args(argv)


def serve(args: argparse.Namespace) -> None:
    """Serve the page as the command line says, until Ctrl-C."""
    check_ranges(
        args, {"port": (1, 65535), "max_photos": (1, 1000), "max_megabytes": (0.001, 1000)}
    )
    if importlib.util.find_spec("gradio") is None:
        raise ConfigError("gradio not installed: pip install 'voxrecon[demo]'")
    from voxrecon.apis import VoxelInferencer
    from voxrecon.webpage.page import build_page
    from voxrecon.webpage.server import check_port, launch
    from voxrecon.webpage.session import Limits, Workshop

    check_port(args.host, args.port)
    inferencer = VoxelInferencer(args.model, args.weights, args.device, args.backend)
    limits = Limits(args.max_photos, args.max_megabytes)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="voxrecon-", ignore_cleanup_errors=True) as folder:
        page = build_page(Workshop(inferencer, Path(folder), limits), Path(args.model).stem)
        try:
            print(f"the page: {launch(page, args.host, args.port, limits)}")
            print("Ctrl-C stops it", flush=True)
            Event().wait()
        except KeyboardInterrupt:
            print("stopped")
        finally:
            page.close(verbose=False)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: serve(parse_args(argv)))


if __name__ == "__main__":
    main()
