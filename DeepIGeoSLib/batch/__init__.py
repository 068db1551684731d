"""Whole cohorts: cases are found, worked on by many processes, and noted in a journal."""

from DeepIGeoSLib.batch.journal import read_records
from DeepIGeoSLib.batch.record import CaseRecord, State, TargetRecord

__all__ = ["CaseRecord", "State", "TargetRecord", "read_records"]
