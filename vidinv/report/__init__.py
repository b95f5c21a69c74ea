"""What a run reports: the figures while frames pass by, the document, and its page."""

from vidinv.report.document import Report
from vidinv.report.tally import VIEWS, PersonTally, Tally, summarise_identity
from vidinv.report.write import write_report

__all__ = ["VIEWS", "PersonTally", "Report", "Tally", "summarise_identity", "write_report"]
