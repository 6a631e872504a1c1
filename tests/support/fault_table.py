"""The table of what it took until disturbed runs ended or went on, printed after the tests (`make faults`)."""

from collections.abc import Callable
from typing import Any

import pytest

PROPERTY = "fault"  # of a test's report, which comes here from other processes too


@pytest.fixture
def log_measurement(record_property: Callable[[str, object], None]) -> Callable[[str, str, float], None]:
    """log_measurement(fault, last line, seconds): a row of the table."""
    return lambda *row: record_property(PROPERTY, row)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    calls = [report for report in reports if getattr(report, "when", None) == "call"]
    rows = [value for report in calls for name, value in report.user_properties if name == PROPERTY]
    if rows:
        terminalreporter.section("faults")
        terminalreporter.write_line("| fault | last line of the output | seconds |\n|---|---|--:|")
        for fault, last_words, seconds in rows:
            terminalreporter.write_line(f"| {fault} | `{last_words}` | {seconds:.0f} |")
