"""Whole cohorts: cases are found, worked on by many processes, and noted in a journal."""

from DeepIGeoSLib.batch.finding import FindingRules
from DeepIGeoSLib.batch.journal import read_records
from DeepIGeoSLib.batch.plan import Plan
from DeepIGeoSLib.batch.record import CaseRecord, State, TargetRecord
from DeepIGeoSLib.batch.run import BatchResult, plan_batch, run_batch
from DeepIGeoSLib.batch.settings import Workers, WorkSettings

__all__ = [
    "BatchResult",
    "CaseRecord",
    "FindingRules",
    "Plan",
    "State",
    "TargetRecord",
    "WorkSettings",
    "Workers",
    "plan_batch",
    "read_records",
    "run_batch",
]
