"""The project, its client, and what its refusals mean. `supabase` is loaded by who asks, never by a bot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from shared.config import Settings
from shared.domain.errors import ConfigError, Forbidden, TradingError
from shared.words import both

if TYPE_CHECKING:
    from supabase import Client

TIMEOUT_S = 10.0


class CloudAway(TradingError):
    """The project does not answer; the desk goes on without it."""

    code = "cloud_away"


class CloudRefused(ConfigError):
    """The project said no: a person must mend key, bucket, policy or function."""

    code = "cloud_refused"


@dataclass(frozen=True, slots=True, repr=False)
class Project:
    """Where the project is, and the keys: the public one, and the one that row-level security does not bind."""

    url: str
    anon_key: str
    service_key: str | None

    @property
    def server_key(self) -> str:
        """The key for what the desk itself does; raises ConfigError where there is none."""
        if not self.service_key:
            raise ConfigError(
                both("cloud.no_service_key"),
                "SUPABASE_SERVICE_ROLE_KEY is not set: row-level security lets the public key do nothing",
                "write it into .env (project settings → API), never into a browser",
            )
        return self.service_key


def configured(settings: Settings) -> bool:
    return bool(settings.supabase_project_url and settings.supabase_anon_key)


def project_of(settings: Settings) -> Project:
    """The project of the settings; ConfigError when there is none."""
    url, key = settings.supabase_project_url, settings.supabase_anon_key
    if not url or not key:
        raise ConfigError(
            both("cloud.no_project"),
            "SUPABASE_PROJECT_URL and SUPABASE_ANON_KEY are not set",
            "write both into .env; everything else of the desk works without them",
        )
    return Project(url.rstrip("/"), key, settings.supabase_service_role_key)


def client(project: Project, key: str) -> Client:
    """A client that remembers nobody and refreshes nothing by itself: no thread, no session on disk."""
    from supabase import ClientOptions, create_client

    options = ClientOptions(
        auto_refresh_token=False,
        persist_session=False,
        postgrest_client_retry=False,  # who asks decides whether to ask again
        postgrest_client_timeout=TIMEOUT_S,
        storage_client_timeout=int(TIMEOUT_S),
        function_client_timeout=int(TIMEOUT_S),
        httpx_client=httpx.Client(timeout=TIMEOUT_S, follow_redirects=False),
    )
    return create_client(project.url, key, options=options)


@contextmanager
def asking(part: str, *, instead: str) -> Iterator[None]:
    """Turn what the client raises into our errors; `instead` says what the desk does meanwhile.

    Raises:
        CloudAway: no answer, or the server failed. CloudRefused: it said no. Forbidden: it does not know who asks.
    """
    from storage3.exceptions import StorageApiError

    from supabase import AuthApiError, AuthError, FunctionsHttpError, FunctionsRelayError, PostgrestAPIError

    try:
        yield
    except (httpx.HTTPError, FunctionsRelayError, OSError) as error:
        raise _away(part, type(error).__name__, instead) from error
    except AuthApiError as error:
        if error.status >= 500:
            raise _away(part, f"HTTP {error.status}", instead) from error
        raise Forbidden(f"Supabase {part}: {error.code or 'refused'}", error.message[:200], "sign in again") from error
    except AuthError as error:  # no connection, or an answer that is none
        raise _away(part, type(error).__name__, instead) from error
    except (StorageApiError, PostgrestAPIError, FunctionsHttpError) as error:
        status = _status(error)
        if status >= 500:
            raise _away(part, f"HTTP {status}", instead) from error
        raise CloudRefused(
            both("cloud.refused", part=part), f"{status} {str(error.message)[:200]}", "letstrade cloud status"
        ) from error
    except ValueError as error:  # an answer that is no JSON: a proxy's page, another server
        raise _away(part, "an answer that is not the project's", instead) from error


def _status(error: Any) -> int:
    told = str(getattr(error, "status", None) or getattr(error, "code", None) or 400)
    return int(told) if told.isdigit() else 400


def _away(part: str, why: str, instead: str) -> CloudAway:
    return CloudAway(both("cloud.away", part=part), why, instead)
