"""Settings: one frozen value, read once from environment, ``tracker.toml`` and defaults."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, SecretStr, StringConstraints, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from deploy.kafka_settings import Kafka, Outbound, Topics
from domain.errors import StoreUnsuitable
from domain.instant import Duration

FORBIDDEN: Final = {
    "POSTGRES_ENABLE_DB_FUNCTIONS": "it silently drops positions and writes into another table",
    "SINGLE_ROW_TRACKING": "positions must be one row each",
    "COMPRESSOR_TOPIC": "the log is stored as it is written",
    "CIPHER_TOPIC": "one key for everything cannot be erased per customer",
}
"""Settings of the event-sourcing library that would break the log; refused at start."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Addresses that nobody else can reach."""
SHARDS: Final = 64
"""Most logs behind one feed; ``api.tokens`` says why."""
_SHARD_NAME: Final = r"^[a-z][a-z0-9-]{0,15}$"
ShardName = Annotated[str, StringConstraints(pattern=_SHARD_NAME)]


class Settings(BaseSettings):
    """Everything an operator may set, each as ``TRACKER_…`` or a key of ``tracker.toml``."""

    model_config = SettingsConfigDict(
        env_prefix="TRACKER_",
        env_nested_delimiter="__",
        toml_file="tracker.toml",
        secrets_dir=os.environ.get("TRACKER_SECRETS_DIR"),
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    data_dir: Path = Field(Path("var"), description="Holds log.db and views.db; a local disk.")
    database_url: SecretStr | None = Field(
        None,
        min_length=1,
        validation_alias="DATABASE_URL",
        description="postgresql://user:password@host:5432/name of a PostgreSQL that holds log and views instead.",
    )
    database_schema: str = Field(
        "tracker",
        pattern=r"^[a-z_][a-z0-9_]{0,39}$",
        description="With DATABASE_URL: schema of the log; the views are in another one, `…_views`.",
    )
    shards: Annotated[dict[ShardName, Annotated[SecretStr, Field(min_length=1)]], NoDecode] = Field(
        {},
        max_length=SHARDS,
        validation_alias="SHARDS",
        description="name=postgresql://… of several logs, with blanks between: `tracker serve` then gives their merged "
        "feed. Each shard's own processes have its DATABASE_URL instead.",
    )
    policy: Path | None = Field(None, description="The policy file; without one every threshold has its default.")
    bootstrap_servers: str | None = Field(
        None,
        min_length=1,
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="host:port of your Kafka, several with commas; without it `tracker run` starts its own broker.",
    )
    kafka: Kafka = Kafka()
    topics: Topics = Topics()
    outbound: Outbound = Outbound()
    host: str = Field("127.0.0.1", description="Address the pages are served on.")
    port: int = Field(8080, ge=0, le=65535, description="Port; 0 takes a free one.")
    behind_proxy: bool = Field(
        default=False, description="A proxy in front does TLS and sign-in; needed to serve on any other address."
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port for /metrics of a role without pages (ingest, tick, project, deliver); 0 takes a free one.",
    )
    docs: bool = Field(default=False, description="Serve the API's reference: /docs, /openapi.json, /asyncapi.json.")
    cache_streams: int = Field(60_000, ge=1000, description="Orders and parcels kept in memory by an ingest process.")
    dedup_for: str = Field("30d", description="How long event ids are remembered; longer than topics keep records.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # no .env files: too easily committed
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then environment, then secret files, then ``tracker.toml``."""
        return init_settings, env_settings, file_secret_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("shards", mode="before")
    @classmethod
    def _are_named(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        pairs = [one.partition("=")[::2] for one in given.split()]
        # Said without the name: where that was forgotten, the address with its password stands in its place.
        if not all(address and re.match(_SHARD_NAME, name) for name, address in pairs):
            raise ValueError("write name=postgresql://… for each; names have up to 16 small letters, digits and -")
        if len(dict(pairs)) < len(pairs):
            raise ValueError("two shards have one name")
        return dict(pairs)

    @field_validator("outbound")
    @classmethod
    def _are_apart(cls, outbound: Outbound, known: ValidationInfo) -> Outbound:
        read = known.data["topics"].names() if "topics" in known.data else ()
        names = [one for one in (*read, outbound.changes, outbound.states) if one]
        if twice := sorted({one for one in names if names.count(one) > 1}):
            raise ValueError(f"{', '.join(twice)} cannot be two things at once: each topic needs a name of its own")
        return outbound

    @field_validator("dedup_for")
    @classmethod
    def _is_duration(cls, text: str) -> str:
        Duration.parse(text)
        return text

    @property
    def log_file(self) -> Path:
        """Say where the log is."""
        return self.data_dir / "log.db"

    @property
    def views_file(self) -> Path:
        """Say where the views are."""
        return self.data_dir / "views.db"

    @property
    def views_schema(self) -> str:
        """Say where the views are in PostgreSQL."""
        return f"{self.database_schema}_views"

    @property
    def place(self) -> str:
        """Name the place of the log, without any secret."""
        return str(self.log_file) if self.database_url is None else f"PostgreSQL, schema {self.database_schema}"

    def on_files(self, data_dir: Path) -> Self:
        """Give the same settings for a disposable store in a folder."""
        return self.model_copy(update={"data_dir": data_dir, "database_url": None})


class Explained(BaseModel, frozen=True):
    """One effective setting."""

    name: str
    variable: str
    value: str
    origin: Literal["default", "set"]
    description: str


def explain(settings: Settings) -> list[Explained]:
    """List every setting with its value and where it comes from; secrets stay hidden."""
    return list(_explain(settings, "", "TRACKER_"))


def refused(error: ValidationError) -> list[str]:
    """Say of each setting that cannot be used which it is and why; never its value, which may be a secret."""
    return [
        f"setting {'.'.join(map(str, one['loc']))}: "
        + ("there is none of this name" if one["type"] == "extra_forbidden" else one["msg"])
        + f" ({_variable(one['loc'])}; docs/settings.md)"
        for one in error.errors(include_input=False, include_url=False)
    ]


def refuse_forbidden(environment: "os._Environ[str] | dict[str, str]") -> None:
    """Refuse to start with what would break the log.

    Raises:
        StoreUnsuitable: names the variable and why.
    """
    for name, why in FORBIDDEN.items():
        found = [key for key in environment if key == name or key.endswith("_" + name)]
        if any(
            environment[key].lower() not in ("", "n", "no", "f", "false", "0") or name == "SINGLE_ROW_TRACKING"
            for key in found
        ):
            raise StoreUnsuitable(f"{found[0]} is set: {why}. Remove it from the environment.")


def _explain(model: BaseModel, prefix: str, variable: str) -> Any:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _explain(value, f"{prefix}{name}.", f"{variable}{name.upper()}__")
            continue
        alias = field.validation_alias
        yield Explained(
            name=prefix + name,
            variable=str(alias) if alias else f"{variable}{name.upper()}",
            value="" if value is None else str(value),
            origin="set" if name in model.model_fields_set else "default",
            description=field.description or "",
        )


def _variable(key: tuple[int | str, ...]) -> str:
    first = str(key[0])
    return first if first.isupper() else f"TRACKER_{'__'.join(map(str, key)).upper()}"
