"""Versions: one file, several dates; each is what a file of its own would be."""

import pytest

from domain.instant import DAY, HOUR, iso
from domain.policies.policy import PolicyInvalid, load, load_versions

BASE = """
timezone = "UTC"
[presumed_lost]
after = "10d"
[presumed_lost.carriers."SF"]
after = "7d"
[kinds]
enabled = ["late_shipment", "stalled_parcel"]
"""
DECEMBER = """
[[version]]
valid_from = "2026-12-01T00:00:00+08:00"
[version.presumed_lost.carriers."YTO"]
after = "5d"
[version.stalled_parcel]
after = "48h"
"""
JANUARY = """
[[version]]
valid_from = 2027-01-01T00:00:00+08:00
[version.presumed_lost]
after = "12d"
[version.kinds]
enabled = ["late_shipment"]
"""


def test_a_file_without_versions_is_one_and_is_hashed_as_ever() -> None:
    [(since, policy)] = load_versions('timezone = "UTC"\n')
    assert since is None
    assert policy == load('timezone = "UTC"')
    assert policy.hash == "d4f3f7933ceda2199d83134866bd8568d4faa16c4cb8c180eaf71ca87d454b96"


def test_each_version_changes_what_it_names_in_the_one_before_it() -> None:
    versions = load_versions(BASE + DECEMBER + JANUARY)
    assert [since and iso(since) for since, _ in versions] == [None, "2026-11-30T16:00:00Z", "2026-12-31T16:00:00Z"]
    lost = [[policy.loss_window(carrier) // DAY for carrier in ("SF", "YTO", "ZTO")] for _, policy in versions]
    assert lost == [[7, 10, 10], [7, 5, 10], [7, 5, 12]]
    assert [policy.stalled_parcel.after // HOUR for _, policy in versions] == [72, 48, 48]
    assert [len(policy.kinds.enabled) for _, policy in versions] == [2, 2, 1]
    assert {policy.timezone for _, policy in versions} == {"UTC"}


def test_each_is_hashed_as_a_file_of_its_own_would_be() -> None:
    [(_, first), (_, second)] = load_versions(BASE + DECEMBER)
    alone = 'valid_from = "2026-12-01T00:00:00+08:00"\n' + BASE
    alone += '[presumed_lost.carriers."YTO"]\nafter = "5d"\n[stalled_parcel]\nafter = "48h"\n'
    assert first.hash == load(BASE).hash == load(BASE + DECEMBER).hash
    assert second == load(alone)


def test_a_later_version_leaves_the_hashes_of_the_earlier_ones() -> None:
    before = [policy.hash for _, policy in load_versions(BASE + DECEMBER)]
    after = [policy.hash for _, policy in load_versions(BASE + DECEMBER + JANUARY)]
    assert after[:2] == before
    assert len(set(after)) == 3


def test_a_file_may_be_dated_as_a_whole() -> None:
    text = 'valid_from = "2026-06-01T00:00:00Z"\n' + BASE
    assert [since and iso(since)[:7] for since, _ in load_versions(text + DECEMBER)] == ["2026-06", "2026-11"]
    assert load(text).valid_from == load_versions(text)[0][0]


def test_calendars_are_merged_and_keep_their_zone() -> None:
    text = '[calendars.staff]\ncountry = "CN"\n[[version]]\nvalid_from = "2026-12-01T00:00:00Z"\n'
    text += 'timezone = "UTC"\n[version.calendars.staff]\nhours = ["mon-fri 09:00-18:00"]\n'
    [(_, first), (_, second)] = load_versions(text)
    staff = [policy.calendar("staff") for policy in (first, second)]
    assert [(one.country, one.timezone, len(one.hours)) for one in staff if one] == [
        ("CN", "Asia/Shanghai", 0),
        ("CN", "UTC", 1),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[version]]\n[version.cluster]\nminimum = 2", "version 1: valid_from is missing"),
        (JANUARY + DECEMBER, "version 2: valid_from"),
        (DECEMBER + DECEMBER, "version 2: valid_from"),
        ('valid_from = "2028-01-01T00:00:00Z"' + DECEMBER, "version 1: valid_from"),
        (DECEMBER.replace("+08:00", ""), "version 1: valid_from: .* no offset"),
        (DECEMBER + '[version.stalled_parcels]\nafter = "1h"', "version 1: .*'stalled_parcels'.*'stalled_parcel'"),
        (DECEMBER.replace('"48h"', "48"), "version 1: .*duration"),
        (DECEMBER + '[[version.version]]\nvalid_from = "2029-01-01T00:00:00Z"', "version 1: unknown key 'version'"),
        ("[version]\ntimezone = 'UTC'", r"\[\[version\]\]"),
        ("version = 2", r"\[\[version\]\]"),
        ("[[versions]]\ntimezone = 'UTC'", "unknown key 'versions'"),
    ],
)
def test_versions_that_cannot_be_used_are_refused_by_number(text: str, said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        load_versions(text)
    with pytest.raises(PolicyInvalid, match=said):
        load(text)
