"""What a check before the start gives back: all is well, a warning, or a problem that keeps the run from starting."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True)
class Finding:
    """One line of the result; `fix` is empty where nothing has to be done."""

    level: Level
    text: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.text}; {self.fix}" if self.fix else self.text


def ok(text: str) -> Finding:
    return Finding(Level.OK, text)


def warn(text: str, fix: str = "") -> Finding:
    return Finding(Level.WARNING, text, fix)


def refuse(text: str, fix: str) -> Finding:
    return Finding(Level.PROBLEM, text, fix)


def refuse_problems(findings: Iterable[Finding]) -> None:
    """Raise ValueError with all problems among the findings, a line each; say nothing if there is none."""
    problems = [str(finding) for finding in findings if finding.level is Level.PROBLEM]
    if len(problems) == 1:
        raise ValueError(problems[0])
    if problems:
        raise ValueError("\n- ".join([f"{len(problems)} problems keep this run from starting:", *problems]))
