"""``python -m DeepIGeoSLib`` is the command ``deepigeos``."""

import os
import signal
import sys


def run() -> int:
    """Run the command line of this process; return the exit code."""
    # Before and after the command there is nothing to clean up: Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from DeepIGeoSLib.allocator import keep_more_freed_memory
    from DeepIGeoSLib.cli import main
    from DeepIGeoSLib.commands.ctrl_c import CtrlC

    keep_more_freed_memory()
    ctrl_c = CtrlC()
    code = main(ctrl_c=ctrl_c)
    if ctrl_c.pressed:
        # Python would wait for its threads. One that imports may wait for ever: an import that
        # Ctrl-C interrupted can leave its lock behind.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(run())
