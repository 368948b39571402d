"""What customers complain of, over which channel, and what staff do about it."""

from collections.abc import Sequence

from tests.generator.world import World

CATEGORIES = ("wrong_item", "missing_item", "late", "not_received", "damaged", "defective", "extra_item", "other")
CHANNELS = ("phone", "chat", "review")
DESK = ("/desk", "/desk", "/bot")
AFTERWARDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("answered", {"by": "staff-1"}),
    ("resolved", {"reason": "sent again"}),
    ("waiting", {"on": "customer"}),
    ("waiting", {"on": "staff"}),
    ("waiting", {"on": "carrier"}),
    ("waiting", {"on": "customer"}),
    ("reopened", {}),
    ("escalated", {"to": "lead"}),
    ("resolved", {}),
    ("answered", {"by": "staff-2", "channel": "phone"}),
)
COURSES = (
    ("answered", "resolved"),
    ("resolved", "reopened"),
    ("answered", "resolved", "reopened", "resolved"),
    ("waiting", "waiting", "resolved"),
    ("escalated", "answered"),
)


def tell_complaints(world: World, orders: Sequence[str]) -> None:
    """Tell a few complaints, some of them about the same trouble of the same order."""
    about = world.pick(orders)
    for number in range(world.pick((0, 0, 0, 1, 1, 1, 2, 3))):
        about = world.pick(orders) if world.chance(30) else about
        tell_complaint(world, f"C{number}", about)
        if world.chance(10):
            tell_duplicate(world, f"C{number}D", about)


def tell_duplicate(world: World, complaint: str, order: str) -> None:
    """Tell the trouble of the complaint before once more, over another channel."""
    said = [
        e["data"] for e in world.events if e["type"] == "complaint.opened.v1" and e["data"].get("order_id") == order
    ]
    if said:
        again = {key: value for key, value in said[-1].items() if key != "complaint_id"}
        other = {"channel": next(name for name in CHANNELS if name != again["channel"])}
        tell(world, complaint, "opened", again | other, world.number(9))


def tell_complaint(world: World, complaint: str, order: str) -> None:
    """Tell one complaint: seldom never opened, opened twice, or about nothing known."""
    if not world.chance(4):
        tell_opening(world, complaint, order)
    if world.chance(5):
        tell_opening(world, complaint, order)
    if world.chance(50):
        tell_course(world, complaint)
    for _ in range(world.pick((0, 1, 1, 2, 2, 3, 4))):
        name, data = world.pick(AFTERWARDS)
        tell(world, complaint, name, data, world.number(12))
    if world.chance(15):
        tell(world, complaint, "categorised", {"category": world.pick(CATEGORIES)}, world.number(9))


def tell_opening(world: World, complaint: str, order: str) -> None:
    """Open it, mostly by naming order and category."""
    data: dict[str, object] = {"channel": world.pick(CHANNELS)}
    if not world.chance(10):
        data["order_id"] = "ghost" if world.chance(4) else order
    if not world.chance(8):
        data["category"] = world.pick(CATEGORIES[: world.pick((2, 4, 8, 8))])
    if world.chance(25):
        data["complexity"] = world.pick(("complex", "general"))
    if world.chance(20):
        data["items"] = [{"sku": "SA", "received_sku": "SZ", "quantity": 1}]
    tell(world, complaint, "opened", data, world.number(7))


def tell_course(world: World, complaint: str) -> None:
    """Tell some steps in the order in which staff take them, several at one instant now and then."""
    step = world.number(6)
    for name in world.pick(COURSES):
        step += world.pick((1, 1, 2, 0, 3))
        tell(world, complaint, name, {"on": world.pick(("customer", "staff"))} if name == "waiting" else {}, step)


def tell(world: World, complaint: str, name: str, data: dict[str, object], step: int) -> None:
    """Tell one thing of a complaint."""
    world.tell(f"complaint.{name}", world.hour(step, step), {"complaint_id": complaint} | data, complaint, DESK)
