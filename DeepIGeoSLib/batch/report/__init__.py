"""The report of a batch run: a page, a table and a text that say where to look first."""

from DeepIGeoSLib.batch.report.attention import attention_of, needs_a_look
from DeepIGeoSLib.batch.report.compare import compare_runs
from DeepIGeoSLib.batch.report.write import ReportFiles, write_report

__all__ = ["ReportFiles", "attention_of", "compare_runs", "needs_a_look", "write_report"]
