"""Sign-in with the password of a Supabase project's user: Supabase Auth vouches, our own row decides."""

from __future__ import annotations

import httpx
from supabase_auth import AsyncGoTrueClient
from supabase_auth.errors import AuthError

from console.oidc import NotVouched, Vouched
from shared.config import Settings

TIMEOUT_S = 10.0


async def vouch(settings: Settings, email: str, password: str) -> Vouched | None:
    """Ask the project whether this is his password; None when it is not.

    Raises:
        NotVouched: the project does not answer, or has not confirmed his e-mail.
    """
    key, base = settings.supabase_anon_key or "", (settings.supabase_project_url or "").rstrip("/")
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
        client = AsyncGoTrueClient(
            url=f"{base}/auth/v1", headers={"apikey": key}, auto_refresh_token=False, persist_session=False, http_client=http
        )  # fmt: skip
        try:
            told = await client.sign_in_with_password({"email": email, "password": password})
        except AuthError as error:
            if getattr(error, "status", None) in (400, 401, 422):
                return None
            raise NotVouched(f"Supabase Auth: {type(error).__name__}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise NotVouched(f"Supabase Auth: {type(error).__name__}") from error
    user = told.user
    if user is None or not user.email:
        return None
    if user.email_confirmed_at is None:
        raise NotVouched("the e-mail is not confirmed")
    return Vouched(f"{base}|{user.id}", user.email)
