"""Sign-in by an OpenID provider: authorization code with PKCE, the ID token checked against the provider's keys.

The provider only vouches for who somebody is; whether he may enter, and as what, is our own row's to say.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from shared.clock import Clock
from shared.config import Settings

FLIGHT_S = 600.0  # so long may somebody stand at the provider's page
MOST_FLIGHTS = 500
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
]  # never "none", never HMAC
LEEWAY_S = 60
TIMEOUT_S = 10.0


class NotVouched(Exception):
    """The provider did not prove who it is; the text is for our log."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who the provider says stands there: its own id for him, and an e-mail it has verified."""

    subject: str
    email: str


@dataclass(frozen=True, slots=True)
class Flight:
    """Somebody on his way to the provider and back."""

    nonce: str
    verifier: str
    target: str
    lang: str
    until: float  # monotonic


class Provider:
    """One OpenID provider, as its discovery document describes it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._issuer, self._client_id = settings.oidc_issuer or "", settings.oidc_client_id or ""
        self._secret, self._clock = settings.oidc_client_secret or "", clock
        self._known: dict[str, Any] = {}  # the discovery document
        self._flights: dict[str, Flight] = {}  # state → flight

    async def begin(self, redirect_uri: str, target: str, lang: str) -> tuple[str, str]:
        """Return the provider's address to go to, and the state that must come back with him."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        now = self._clock.monotonic()
        self._flights = {kept: one for kept, one in self._flights.items() if one.until >= now}
        if len(self._flights) >= MOST_FLIGHTS:
            self._flights.clear()
        flight = Flight(secrets.token_urlsafe(32), verifier, target, lang, now + FLIGHT_S)
        async with self._client() as client:
            address = (await self._discovered(client))["authorization_endpoint"]
        self._flights[state] = flight
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code", "client_id": self._client_id, "redirect_uri": redirect_uri,
            "scope": "openid email", "state": state, "nonce": flight.nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", state

    def landed(self, state: str) -> Flight | None:
        """The flight of a state that came back, once; None when it is unknown or too old."""
        flight = self._flights.pop(state, None)
        return flight if flight is not None and self._clock.monotonic() <= flight.until else None

    async def vouch(self, flight: Flight, code: str, redirect_uri: str) -> Vouched:
        """Trade the code for an ID token and check it.

        Raises:
            NotVouched: anything about it is not as it must be, or the provider does not answer.
        """
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "client_id": self._client_id, "code_verifier": flight.verifier,
        }  # fmt: skip
        async with self._client() as client:
            known = await self._discovered(client)
            auth = httpx.BasicAuth(self._client_id, self._secret) if self._secret else None
            told = await _json(client, "POST", known["token_endpoint"], data=form, auth=auth)
            claims = await self._claims(client, str(told.get("id_token") or ""), flight.nonce)
            if "email" not in claims:
                headers = {"authorization": f"Bearer {told.get('access_token')}"}
                info = await _json(client, "GET", known.get("userinfo_endpoint", ""), headers=headers)
                if info.get("sub") != claims["sub"]:
                    raise NotVouched("userinfo speaks of somebody else")
                claims |= {name: info[name] for name in ("email", "email_verified") if name in info}
        if claims.get("email_verified") not in (True, "true") or not claims.get("email"):
            raise NotVouched("no verified e-mail")
        return Vouched(f"{self._issuer}|{claims['sub']}", str(claims["email"]))

    async def _claims(self, client: httpx.AsyncClient, token: str, nonce: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._key(client, kid)
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=ALGORITHMS, audience=self._client_id, issuer=self._issuer, leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise NotVouched(f"ID token: {error}") from error
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise NotVouched("ID token of another sign-in")
        if claims.get("azp", self._client_id) != self._client_id:
            raise NotVouched("ID token for another client")
        return claims

    async def _key(self, client: httpx.AsyncClient, kid: str | None) -> jwt.PyJWK:
        """The provider's key, asked anew each time: sign-ins are rare and keys change."""
        told = await _json(client, "GET", self._known["jwks_uri"])
        keys = [one for one in jwt.PyJWKSet.from_dict(told).keys if kid is None or one.key_id == kid]
        if len(keys) != 1:
            raise NotVouched(f"{len(keys)} keys are named {kid!r}")
        return keys[0]

    async def _discovered(self, client: httpx.AsyncClient) -> dict[str, Any]:
        if not self._known:
            address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
            known = await _json(client, "GET", address)
            if known.get("issuer") != self._issuer:
                raise NotVouched(f"the provider calls itself {known.get('issuer')!r}")
            if not all(known.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")):
                raise NotVouched("the discovery document is not whole")
            self._known = known
        return self._known

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)


def safe_address(url: str) -> bool:
    """https, or plain http to this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"})


async def _json(client: httpx.AsyncClient, method: str, url: str, **more: Any) -> dict[str, Any]:
    if not safe_address(url):
        raise NotVouched(f"{url!r} is not https")
    try:
        answer = await client.request(method, url, **more)
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotVouched(f"{urlsplit(url).netloc}: {type(error).__name__}") from error
    if answer.status_code != 200 or not isinstance(told, dict):
        raise NotVouched(f"{urlsplit(url).netloc} answered {answer.status_code}")
    return told
