"""How much each case needs a look, as the report of a batch run says."""

from __future__ import annotations

import csv
from pathlib import Path

from DeepIGeoSLib.errors import InputError

# The table of a batch run, in the folder of its results, and the columns that are needed here.
TABLE = "report.csv"
CASE, ATTENTION = "case", "attention"


def read_attention(results: Path) -> dict[str, float]:
    """Return how much each case needs a look, by its name; nothing where no run left a table.

    Raises:
        InputError: the table is damaged.
    """
    path = results / TABLE
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = csv.DictReader(stream)
            if not {CASE, ATTENTION} <= set(rows.fieldnames or ()):
                return {}  # a table of somebody else
            known = {row[CASE]: float(row[ATTENTION] or 0) for row in rows}
            # An apostrophe leads what a spreadsheet would compute; a name may have one of its own.
            return {name.removeprefix("'"): known[name] for name in known} | known
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InputError(f"{path} can't be read as the table of a batch run ({error}).") from error
