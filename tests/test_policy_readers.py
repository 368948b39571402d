"""Which keys are read is found out from those who read them, and not from those who declare and check them."""

from domain.policies import check
from tests import policy_readers


def test_whoever_declares_or_checks_keys_is_there_and_is_no_reader():
    assert [one for one in policy_readers.DECLARING if not one.is_file()] == []
    assert [one for one in policy_readers.DECLARING if one.samefile(check.__file__)] != []
