"""Steps: how a request becomes a command of the desk, and what is answered."""

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, Request
from starlette.concurrency import run_in_threadpool

from api.bounds import IncidentId
from api.contract import desk as contract
from api.desk.actor import Actor
from api.problems import Problem
from api.reading import CaughtUp, Reader
from api.tokens import Token
from domain.incidents.clock import due, next_step
from domain.incidents.commands import Command
from domain.incidents.events import IncidentCompensated
from domain.incidents.incident import Incident, status
from domain.instant import Instant, iso
from domain.staff.desk import Case, Desk
from projections import incidents

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=128,
        pattern=r"^[\x21-\x7e]*$",
        description="The same command under the same key has one effect; another command under it is refused.",
    ),
]


class Step:
    """One request to the desk."""

    def __init__(self, reader: Reader, desk: Desk, incident: str, actor: str, key: str) -> None:
        """Know who asks what of which incident."""
        self.reader = reader
        self._desk = desk
        self._incident = incident
        self._actor = actor
        self._key = key

    async def decide(self, command: type[Command], body: contract.Decision) -> contract.Workflow:
        """Let the desk do what takes the place of what was decided before."""
        read_at = None if body.read_at is None else position_of(self.reader, body.read_at)
        return await self.carry_out(command, body, read_at=read_at)

    async def carry_out(
        self,
        command: type[Command],
        body: contract.Asked,
        *,
        into: str | None = None,
        read_at: int | None = None,
        **said: Any,
    ) -> contract.Workflow:
        """Let the desk do it and answer what it made of the incident."""
        case, other = self._case(self._incident), None if into is None else self._case(into)
        words = {**body.said(), **said, "by": self._actor, "command_id": self._key}
        for name in ("into", "read_at"):
            words.pop(name, None)
        asked = msgspec.convert(words, command)
        at = self.reader.clock.now()
        position = await run_in_threadpool(self._desk.handle, case, asked, at=at, other=other, read_at=read_at)
        state = await run_in_threadpool(self._desk.read, case.id)
        with self.reader.snapshot() as snapshot:
            return shown(case.id, state, snapshot.token(position))

    async def is_repeat(self) -> bool:
        """Say whether a command was carried out under this key before: what was true then need not be so now."""
        state = await run_in_threadpool(self._desk.read, self._incident)
        return self._key in state.commands

    def _case(self, incident: str) -> Case:
        with self.reader.snapshot() as snapshot:
            found = incidents.stream_of(snapshot.rows, incident)
        if found is None:
            raise Problem("not_found", "No incident has this id.")
        return Case(incident, found)


def desk_of(request: Request) -> Desk:
    """Give the application's desk.

    Raises:
        Problem: this server only reads.
    """
    desk: Desk | None = request.app.state.desk
    if desk is None:
        raise Problem("read_only")
    return desk


Staffed = Annotated[Desk, Depends(desk_of)]


def step(reader: CaughtUp, desk: Staffed, incident_id: IncidentId, actor: Actor, key: Key = "") -> Step:
    """Read what every command's request says around its body."""
    return Step(reader, desk, incident_id, actor, key)


Acting = Annotated[Step, Depends(step)]


def position_of(reader: Reader, token: str | None) -> int:
    """Read a position that was given out; 0 for none.

    Raises:
        Problem: it is none of this log.
    """
    if token is None:
        return 0
    read = Token.read(token)
    if not reader.knows(read, reader.feed_checkpoint()):
        raise Problem("unknown_position")
    return read.position


def shown(identity: str, state: Incident, token: str) -> contract.Workflow:
    """Write what staff have made of an incident as it leaves."""
    held, asleep = state.acknowledged, state.snoozed
    return contract.Workflow(
        id=identity,
        status=status(state),
        acknowledged_by=None if held is None else held.by,
        acknowledged_until=None if held is None else iso(held.until),
        person=state.person,
        team=state.team,
        snoozed_until=None if asleep is None else _time(asleep.until),
        wakes_on_event=asleep is not None and asleep.next_event,
        merged_into=state.merged_into,
        parts=state.parts,
        liable=state.liable,
        level=state.level,
        escalated_to=state.escalated_to,
        escalates_at=_escalates_at(state),
        contacts=_contacts(state),
        next_attempt=_time(state.next_attempt),
        attempt_due=state.attempt_due,
        awaits_confirmation=list(state.unconfirmed),
        payments=_payments(state),
        price_answer=_price_answer(state),
        notes=len(state.notes),
        reopened=state.reopened,
        due=_time(due(state)),
        position=token,
    )


def _contacts(state: Incident) -> list[contract.ContactMade]:
    return [
        contract.ContactMade(
            contact_id=name,
            at=iso(one.at),
            by=one.by,
            channel=one.channel,
            outcome=one.outcome,
            agreement=one.agreement,
            confirmed=name in state.confirmed,
            cleared=one.cleared,
        )
        for name, one in state.contacts.items()
    ]


def _payments(state: Incident) -> list[contract.Payment]:
    return [
        contract.Payment(
            member=member,
            amount=one.amount,
            currency=one.currency,
            form=one.form,
            paid=isinstance(one, IncidentCompensated),
            approvals=list(one.approvals) if isinstance(one, IncidentCompensated) else [one.by],
        )
        for member, one in state.payments.items()
    ]


def _escalates_at(state: Incident) -> str | None:
    step = None if status(state) in {"resolved", "dismissed", "merged"} else next_step(state)
    return None if step is None else iso(step.at)


def _price_answer(state: Incident) -> contract.PriceAnswer | None:
    said = state.price_answer
    return (
        None if said is None else contract.PriceAnswer(mistake=said.mistake, by=said.by, at=iso(said.at), why=said.why)
    )


def _time(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
