"""The policies of a run: what its facts keep of them, and that a resume decides by no others."""

from itertools import product
from typing import Literal

import pytest

from sync.model import Issue, Severity
from sync.pipeline import Policies, policies_of, policy_issues
from sync.report import POLICY


@pytest.mark.parametrize(("on_conflict", "on_drift"), list(product(("refuse", "sheet", "live"), ("restore", "keep"))))
def test_a_run_keeps_its_policies_in_its_facts(
    on_conflict: Literal["refuse", "sheet", "live"], on_drift: Literal["restore", "keep"]
) -> None:
    """Each combination comes back as it went; the defaults need no word."""
    policies = Policies(on_conflict, on_drift)
    issues = policy_issues(policies)

    assert policies_of((Issue("heading.unknown", "is no field"), *issues)) == policies
    assert len(issues) == (on_conflict != "refuse") + (on_drift != "restore")
    assert {issue.severity for issue in issues} <= {Severity.NOTE}


@pytest.mark.parametrize("value", [None, "sheet", ["on_conflict", "all"], ["on_conflict"], ["else", "sheet"]])
def test_a_word_that_is_no_policy_decides_nothing(value: object) -> None:
    """A conflict is refused as long as nobody has said otherwise, in words that are known."""
    issue = Issue(POLICY, "somehow", attempted_value=value)  # type: ignore[arg-type]  # what no program has written

    assert policies_of([issue]) == Policies()
