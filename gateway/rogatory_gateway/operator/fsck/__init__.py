"""`fsck`: everything at rest verified again, with the library that partners and auditors use."""

from rogatory_gateway.operator.fsck.check import Progress, check_ledger, check_set_up
from rogatory_gateway.operator.fsck.findings import Fault, Finding, Report

__all__ = ["Fault", "Finding", "Progress", "Report", "check_ledger", "check_set_up"]
