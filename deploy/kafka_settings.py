"""Settings of Kafka: how to reach it, what is read there, and what is told."""

from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field, SecretStr

from consumers import translate

BOOTSTRAP_MS: Final = 3000
"""Milliseconds to look for a broker: short, because whoever waits for it cannot be told to stop."""
RECONNECT_MS: Final = 1000
"""Longest pause between attempts to reach a broker again; the client's own is half a minute."""


class Kafka(BaseModel, frozen=True, extra="forbid"):
    """How to reach Kafka; names are those of the client library where it has them."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Anything but PLAINTEXT outside of your own machine."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="With SASL_*: how to log in."
    )
    sasl_username: str | None = Field(None, description="With SASL_*: who we are.")
    sasl_password: SecretStr | None = Field(None, description="With SASL_*: our secret.")
    ssl_cafile: Path | None = Field(None, description="Certificates that sign the broker's.")
    ssl_certfile: Path | None = Field(None, description="Our certificate, for mutual TLS.")
    ssl_keyfile: Path | None = Field(None, description="Its key.")
    group: str = Field("order-incidents.ingest", description="Consumer group of all ingest processes of one log.")
    client_id: str = Field("order-incident-tracker", description="Name shown in the broker's logs.")
    poll_records: int = Field(2000, ge=1, le=20_000, description="Most records taken in with one transaction.")
    session_timeout_ms: int = Field(45_000, ge=1000, description="After this silence another process takes over.")

    def membership(self) -> dict[str, Any]:
        """Give the client library's arguments for being in a group."""
        return {"session_timeout_ms": self.session_timeout_ms, "heartbeat_interval_ms": self.session_timeout_ms // 3}

    def connection(self, servers: str) -> dict[str, Any]:
        """Give the client library's arguments for reaching a broker."""
        wanted: dict[str, Any] = {
            "bootstrap_servers": servers.split(","),
            "client_id": self.client_id,
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "reconnect_backoff_max_ms": RECONNECT_MS,
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password.get_secret_value() if self.sasl_password else None,
            "ssl_cafile": _text(self.ssl_cafile),
            "ssl_certfile": _text(self.ssl_certfile),
            "ssl_keyfile": _text(self.ssl_keyfile),
        }
        return {name: value for name, value in wanted.items() if value is not None}


class Topics(BaseModel, frozen=True, extra="forbid"):
    """Where the three streams of events are."""

    orders: str = Field(translate.ORDERS, description="Orders, promises, holds, prices.")
    logistics: str = Field(translate.LOGISTICS, description="Picking, packing, scans, bindings.")
    complaints: str = Field(translate.COMPLAINTS, description="Complaints.")

    def names(self) -> tuple[str, str, str]:
        """List them."""
        return self.orders, self.logistics, self.complaints


class Outbound(BaseModel, frozen=True, extra="forbid"):
    """What `tracker deliver` tells Kafka."""

    changes: str = Field(
        "order-incidents.incidents.v1", description="Topic that is told of every change of an incident; empty: none."
    )
    states: str = Field(
        "order-incidents.incidents.state.v1",
        description="Compacted topic that holds the latest state of each incident; empty: none.",
    )
    dead_letters: bool = Field(
        default=True,
        description="Copy what could not be taken in, as it came, to `<topic>.dlq`; it may hold personal data.",
    )
    create: bool = Field(default=True, description="Make these topics where they are missing.")
    partitions: int = Field(3, ge=1, description="Partitions of a topic that is made.")
    replication: int | None = Field(
        None, ge=1, description="Replicas of a topic that is made; without it the broker's default."
    )
    with_run: bool = Field(default=False, description="`tracker run` delivers, too.")

    def below(self, prefix: str) -> Self:
        """Give the same with other names of topics."""
        names = {
            name: f"{prefix}{topic}" for name, topic in (("changes", self.changes), ("states", self.states)) if topic
        }
        return self.model_copy(update=names)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
