"""The policy file as it stands: its versions, and which of them judges now."""

from typing import Any

from deploy import clock
from deploy.settings import Settings
from deploy.wiring import read_policy
from domain.instant import FOREVER, Instant, iso
from domain.judging.adoption import in_force, planned
from domain.policies.policy import PolicyInvalid


def explain(settings: Settings) -> list[dict[str, Any]]:
    """Tell each version of the configured file with its hash and when it judges, in the form of a setting."""
    now = clock.of(settings.data_dir)()
    try:
        versions = planned("" if settings.policy is None else read_policy(settings.policy))
    except PolicyInvalid as error:
        return [_row(f"cannot be used: {error}", "invalid")]
    today = in_force(versions, now)
    return [_row(f"{policy.hash} {_from(since)}", _when(since, now, policy is today)) for since, policy in versions]


def _from(since: Instant) -> str:
    return "from the beginning" if since == -FOREVER else f"from {iso(since)}"


def _when(since: Instant, now: Instant, in_force: bool) -> str:  # noqa: FBT001  # what it says, not a switch
    if since > now:
        return "planned"
    return "in force" if in_force else "past"


def _row(value: str, origin: str) -> dict[str, Any]:
    return {
        "name": "policy version",
        "variable": "TRACKER_POLICY",
        "value": value,
        "origin": origin,
        "description": "A version of the policy; findings name the hash that judged them.",
    }
