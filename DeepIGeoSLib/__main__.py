"""``python -m DeepIGeoSLib`` is the command ``deepigeos``."""

import sys

from DeepIGeoSLib.cli import main

if __name__ == "__main__":
    sys.exit(main())
