"""Sign-in through Supabase Auth: who a person is. What he may do stays with the desk's own users and roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.cloud.project import asking, client, project_of
from shared.config import Settings
from shared.domain.errors import Forbidden
from shared.words import both

_INSTEAD = "sign in with the desk's own password; letstrade cloud status says when Supabase is back"


@dataclass(frozen=True, slots=True)
class Verified:
    """Somebody whom Supabase Auth vouches for: his id there, and a confirmed e-mail to find the desk's user by."""

    user_id: str
    email: str
    second_factor: bool  # signed in with one (aal2)


def by_password(settings: Settings, email: str, password: str) -> Verified:
    """Check e-mail and password with the project.

    Raises:
        Forbidden: wrong, unconfirmed or banned; which one is not told. CloudAway: use the desk's own password.
    """
    project = project_of(settings)
    with asking("Auth", instead=_INSTEAD):
        auth = client(project, project.anon_key).auth
        answer = auth.sign_in_with_password({"email": email, "password": password})
        found = _verified(answer.user)
        auth.sign_out({"scope": "local"})  # the desk's own session is the one of record
    return found


def by_token(settings: Settings, access_token: str) -> Verified:
    """Ask the project whose access token this is: a session begun elsewhere, an OAuth return.

    The server is asked, the token is not only read: a session that was ended there is refused here.

    Raises:
        Forbidden: expired, revoked, or not of this project. CloudAway: nobody can be let in by a token now.
    """
    project = project_of(settings)
    with asking("Auth", instead=_INSTEAD):
        answer = client(project, project.anon_key).auth.get_user(access_token)
    return _verified(answer.user if answer is not None else None, access_token)


def _verified(user: Any, access_token: str = "") -> Verified:
    if user is None or not user.email or user.email_confirmed_at is None or user.is_anonymous:
        raise Forbidden(
            both("cloud.not_vouched"),
            "no confirmed e-mail",
            "confirm the e-mail, then sign in again",
        )
    return Verified(user.id, user.email.lower(), _claims(access_token).get("aal") == "aal2")


def _claims(token: str) -> dict[str, Any]:
    """The claims of a token that the server has just accepted."""
    import jwt

    try:
        found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return found
