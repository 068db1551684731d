"""A folder of cases that somebody goes through: what is new, in work and accepted."""

from DeepIGeoSLib.worklist.found_cases import WorkCase
from DeepIGeoSLib.worklist.record import Record, Status
from DeepIGeoSLib.worklist.worklist import Worklist

__all__ = ["Record", "Status", "WorkCase", "Worklist"]
