"""Fixtures of every store test."""

from tests.store.rows import a_log, a_path, a_store

__all__ = ["a_log", "a_path", "a_store"]
