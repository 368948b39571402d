"""Judging: every rule over one subject, by the policy of its time."""
