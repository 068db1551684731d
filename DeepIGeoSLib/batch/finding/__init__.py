"""Which cases a cohort has: in a folder, a list, a BIDS data set, or folders of DICOM series."""

from DeepIGeoSLib.batch.finding.find import find_cases
from DeepIGeoSLib.batch.finding.found import Found, Problem
from DeepIGeoSLib.batch.finding.rules import FindingRules

__all__ = ["FindingRules", "Found", "Problem", "find_cases"]
