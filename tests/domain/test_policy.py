"""Policy: read strictly, hashed by content, and complete when empty."""

from datetime import timedelta

import pytest

from domain.instant import DAY, HOUR, SECOND, Duration
from domain.policies.policy import DEFAULT, KINDS, Policy, PolicyInvalid, load

CONTRACT = """
allowed_lateness = "6h"
timezone = "Asia/Shanghai"
[late_shipment]
warn_before = "4h"
[unconfirmed_handover]
after = "24h"
[stalled_parcel]
after = "72h"
[stalled_parcel.lanes."SF:310000-510000"]
after = "120h"
[late_delivery]
warn_before = "24h"
[delivery_failed]
pickup_wait = "3d"
[presumed_lost]
after = "15d"
[mis_shipment]
missing_after = "48h"
[complaint_overdue]
first_response = "1h"
general = "24h"
complex = "24h"
[warehouse_backlog]
minimum = 12
factor = 2.0
[carrier_backlog]
minimum = 12
factor = 2.0
[cluster]
minimum = 3
window = "72h"
[feed_silence]
after = "2h"
[feed_silence.sources."/carriers/sf"]
after = "6h"
[price_protection]
window = "15d"
[kinds]
enabled = ["late_shipment"]
[carrier_codes]
file = "carrier_codes.csv"
[calendars]
"""


def settings(policy: Policy) -> dict[str, object]:
    """Give every setting but the hash and what the contract's example sets apart from the defaults."""
    apart = {"hash", "stalled_parcel", "feed_silence", "kinds", "carrier_codes"}
    return {name: getattr(policy, name) for name in policy.__struct_fields__ if name not in apart}


def test_the_contract_s_own_example_is_read_and_its_values_are_the_defaults() -> None:
    policy = load(CONTRACT)
    assert settings(policy) == settings(DEFAULT)
    assert policy.stalled_parcel.after == DEFAULT.stalled_parcel.after == 72 * HOUR
    assert policy.stalled_parcel.lanes["SF:310000-510000"].after == 120 * HOUR
    assert policy.feed_silence.sources["/carriers/sf"].after == 6 * HOUR
    assert (policy.kinds.enabled, DEFAULT.kinds.enabled) == (("late_shipment",), KINDS)


@pytest.mark.parametrize(
    ("text", "named", "nearest"),
    [
        ('alowed_lateness = "1h"', "alowed_lateness", "allowed_lateness"),
        ('[late_shipmnt]\nwarn_before = "1h"', "late_shipmnt", "late_shipment"),
        ('[late_shipment]\nwarn_befor = "1h"', "late_shipment.warn_befor", "warn_before"),
        ("[warehouse_backlog]\nminimun = 3", "warehouse_backlog.minimun", "minimum"),
        ('[stalled_parcel.lanes."SF:1-2"]\naftr = "1h"', "aftr", "after"),
        ('[feed_silence.sources."/carriers/sf"]\nafte = "1h"', "afte", "after"),
        ('[presumed_lost.carriers."SF"]\nafer = "9d"', "presumed_lost.carriers.SF.afer", "after"),
        ("[compensation]\ncapp = '9'", "compensation.capp", "cap"),
        ('[incidents]\nreopen = "1h"', "incidents.reopen", "reopen_within"),
        ("[rates]\nlate_shipments = 0.1", "rates.late_shipments", "late_shipment"),
        ('[calendars.staff]\ncuntry = "CN"', "calendars.staff.cuntry", "country"),
        ('[calendars.warehouse."W"]\ncountry = "CN"', "calendars.warehouse", "warehouses"),
        ('[maintenance.x]\nreasons = "?"', "maintenance.x.reasons", "reason"),
        ('timezone = "Asia/Shanghia"', "timezone", "Asia/Shanghai"),
        ('[kinds]\nenabled = ["late_shipmet"]', "late_shipmet", "late_shipment"),
    ],
)
def test_an_unknown_key_or_kind_is_refused_with_the_nearest_known_name(text: str, named: str, nearest: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        load(text)
    assert named in str(refused.value)
    assert f"'{nearest}'" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "hash = 'x'",
        "= 3",
        "allowed_lateness = 6",
        'allowed_lateness = "6"',
        'allowed_lateness = "-6h"',
        'allowed_lateness = "6 h"',
        'allowed_lateness = "1.5h"',
        "late_shipment = 3",
        "[late_shipment]\npromise = 'whoever'",
        "[late_shipment]\napproval = true",
        "[kinds]\nenabled = 'late_shipment'",
        'timezone = "Mars/Olympus"',
        'timezone = "../../etc/passwd"',
        'timezone = ""',
        '[zones]\n"/s" = "Nowhere"',
        "[severity]\nhigh_value = nan",
        "[severity]\nhigh_value = inf",
        "[warehouse_backlog]\nfactor = nan",
        "[warehouse_backlog]\nminimum = 'many'",
        "[compensation]\ncap = 200",
        "[compensation]\ncap = '-1'",
        "[compensation]\nsecond_approval_above = 'NaN'",
        "[compensation]\nsecond_approval_above = '1e3'",
        "[cluster]\nsignificance = 0.0",
        "[cluster]\nsignificance = 1.5",
        "[rates]\nlate_shipment = 4.0",
        "[late_shipment]\nworking_days = -1",
        "[late_shipment]\nworking_days = 1000",
        "[late_shipment]\nwithin = 48",
        "[late_delivery]\npromise = 'mine'",
        "valid_from = 2026-01-01",
        "valid_from = 1767225600",
        "valid_from = '2026-01-01T00:00:00'",
        "valid_from = 'tomorrow'",
        "[presumed_lost.carriers]\nSF = '9d'",
        "[maintenance]\nx = 1",
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_on_load(text: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        load(text)
    assert str(refused.value)


def test_comments_order_and_spacing_do_not_matter_to_the_hash() -> None:
    one = load(
        'timezone = "UTC" # why\n[late_shipment]\npromise = "latest"\nwarn_before = "1h"\n[cluster]\nminimum = 4'
    )
    other = load('timezone="UTC"\n[cluster]\nminimum=4\n\n[late_shipment]\nwarn_before="1h"\npromise="latest"')
    assert one == other
    assert len(one.hash) == 64


def test_any_other_content_has_another_hash() -> None:
    texts = ["", 'timezone = "UTC"', '[late_shipment]\npromise = "latest"', '[late_shipment]\npromise = "original"']
    assert len({load(text).hash for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("text", "span"),
    [("0s", 0), ("45s", 45 * SECOND), ("90m", 5400 * SECOND), ("72h", 72 * HOUR), ("15d", 15 * DAY), ("2w", 14 * DAY)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, span: int) -> None:
    assert Duration.parse(text) == span == timedelta(microseconds=Duration.parse(text)) / timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["", "h", "5", "5y", "5H", " 5h", "5h ", "5h\n", "-5h", "+5h", "5.0h", "9999999999h"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        Duration.parse(text)


def test_no_default_of_one_policy_is_shared_with_another() -> None:
    assert load("").feeds is not load("").feeds
