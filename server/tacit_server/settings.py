"""Settings of a server process, read from environment variables that begin with ``TACIT_SERVER_``."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tacit_server.errors import ConfigurationError

PREFIX = "TACIT_SERVER_"


class ServerSettings(BaseSettings):
    """Limits and tuning; sizes in bytes, times in seconds. What names a party stands in its home, not here."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    secret: SecretStr | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    head_seconds: Annotated[float, Field(gt=0)] = 15.0
    body_seconds: Annotated[float, Field(gt=0)] = 60.0
    concurrency: Annotated[int, Field(ge=8)] = 512
    waiting_batches: Annotated[int, Field(ge=1)] = 256
    waiting_batches_per_member: Annotated[int, Field(ge=1)] = 16
    answer_cache_bytes: Annotated[int, Field(ge=0)] = 2**30
    index_memory: Annotated[str, Field(pattern=r"^[0-9]+ ?(MB|GB|MiB|GiB)$")] = "1GB"
    erase_after_seconds: Annotated[int, Field(ge=0)] = 7 * 86400
    invitation_seconds: Annotated[int, Field(ge=60)] = 30 * 86400


def load_settings() -> ServerSettings:
    """Read the settings; raises :class:`ConfigurationError` that names a wrong or unknown variable.

    Unknown names would otherwise pass silently, and a limit somebody believes to have set would not hold.
    """
    known = {PREFIX + name.upper() for name in ServerSettings.model_fields}
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise ConfigurationError(f"unknown setting {unknown[0]}: the settings are {', '.join(sorted(known))}")
    try:
        return ServerSettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise ConfigurationError(f"setting {name}: {first['msg']}") from None
