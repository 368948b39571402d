"""mis_shipment: its proof is the packing and, where no list says it, what says how much was lacking, and no more."""

from domain.detectors.mis_shipment import findings
from domain.events import Fact
from domain.policies.policy import DEFAULT
from tests.story import Given, at, cancelled, line, packed, piece, placed, requested
from tests.story import scanned as scan

BOTH = placed(0, line("1", "A", 2), line("2", "B"))


def proof(*facts: Fact, parcel: str = "P") -> tuple[str, ...]:
    """Name what proves the one wrong packing of a parcel."""
    [one] = findings(Given(*facts).parcel(parcel), at(999), DEFAULT)
    return one.proof


def test_a_packing_list_speaks_for_itself() -> None:
    assert proof(BOTH, packed(1, "P", piece("C"), expected=(piece("A"),))) == ("/s#packed-P@1",)


def test_what_nobody_ordered_is_proven_by_every_order_of_the_box() -> None:
    other = placed(0.5, line("1", "D"), of="Q")
    box = packed(1, "P", piece("C"), piece("D", of="Q"))
    assert proof(BOTH, other, box) == (BOTH.stamp.ref, other.stamp.ref, box.stamp.ref)


def test_what_another_box_held_before_proves_what_is_too_much_of_the_same() -> None:
    first, second = packed(1, "P1", piece("A", 2), piece("B")), packed(2, "P", piece("A"))
    assert proof(BOTH, first, second) == (BOTH.stamp.ref, first.stamp.ref, second.stamp.ref)


def test_what_was_packed_or_cancelled_of_another_sku_proves_nothing() -> None:
    first, gone = packed(1, "P1", piece("A")), cancelled(1.5, "2")
    box = packed(2, "P", piece("A"), piece("C"))
    assert proof(BOTH, first, gone, box) == (BOTH.stamp.ref, box.stamp.ref)


def test_a_cancelled_line_proves_that_it_was_not_lacking_any_more() -> None:
    gone, box = cancelled(1, "2"), packed(2, "P", piece("B"))
    assert proof(BOTH, gone, box) == (BOTH.stamp.ref, gone.stamp.ref, box.stamp.ref)


def test_what_is_left_out_is_proven_by_the_order_and_by_the_fulfilment_that_asked_for_it() -> None:
    box, asked = packed(2, "P", piece("A", 2), last=True), requested(1)
    assert proof(BOTH, box) == (BOTH.stamp.ref, box.stamp.ref)
    assert proof(BOTH, asked, box) == (BOTH.stamp.ref, asked.stamp.ref, box.stamp.ref)


def test_what_is_left_out_after_a_while_is_proven_by_the_hand_over_too() -> None:
    box, handed_over = packed(2, "P", piece("A", 2)), scan(3, "P", "picked_up", order_ids=("O",))
    assert proof(BOTH, box, handed_over) == (BOTH.stamp.ref, box.stamp.ref, handed_over.stamp.ref)
