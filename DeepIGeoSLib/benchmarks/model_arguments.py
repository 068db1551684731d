"""Which networks a benchmark measures, and on which device."""

from __future__ import annotations

import argparse


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the bundle and the device."""
    parser.add_argument(
        "--bundle", default="flair-whole-tumor", help="model bundle (default: %(default)s)"
    )
    parser.add_argument(
        "--device", default="cpu", help="auto, cpu, cuda, mps (default: %(default)s)"
    )
