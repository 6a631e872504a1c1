"""The answers to the claims of a study, in Markdown. Pure."""

from recipe.edge_grpo.laboratory.study.cells import middle, with_interval
from recipe.edge_grpo.laboratory.study.claims import CLAIMS, Finding, findings
from recipe.edge_grpo.laboratory.study.results import Results


def claims_table(results: Results) -> str:
    """Return the answer to each claim on each task."""
    lines = [
        "| | claim | task | seeds | mean [95 % interval] | bound | p | answer |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    return "\n".join([*lines, *(_claim_row(finding) for finding in findings(CLAIMS, results.seeds()))])


def verdict_lines(results: Results) -> str:
    """Return one line for each answer that was given, with the claims and their tasks, for who reads no table."""
    tasks: dict[str, dict[str, list[str]]] = {}
    for each in findings(CLAIMS, results.seeds()):
        of_claim = tasks.setdefault(each.answer.value, {}).setdefault(each.claim.text, [])
        of_claim.append(f"`{each.task}` {middle(each.numbers)}")
    lines = []
    for answer, claims in sorted(tasks.items(), reverse=True):
        answered = "; ".join(f"{text} ({', '.join(of_claim)})" for text, of_claim in claims.items())
        lines.append(f"- **{answer}**: {answered}")
    return "\n".join(lines)


def _claim_row(finding: Finding) -> str:
    claim = finding.claim
    bound = f"{'above' if claim.is_above else 'below'} {claim.bound:g}"
    p_value = "–" if finding.p_value is None else f"{finding.p_value:.3f}"
    cell = with_interval(finding.numbers, finding.interval)
    cells = (claim.key, claim.text, finding.task, len(finding.numbers), cell, bound, p_value, finding.answer.value)
    return f"| {' | '.join(map(str, cells))} |"
