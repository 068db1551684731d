"""``python -m DeepIGeoSLib`` is the command ``deepigeos``."""

import signal
import sys


def run() -> int:
    """Run the command line of this process; return the exit code."""
    # Before and after the command there is nothing to clean up: Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from DeepIGeoSLib.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
