"""TLS for the brokers' ports: an authority of our own and a certificate for this machine, made once in a folder.

Clients verify with `ca.pem` (httpx: `verify=ssl.create_default_context(cafile="…/ca.pem")`). The authority's own key is
not kept: nobody can sign anything else with it.
"""

from __future__ import annotations

import os
import ssl
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.domain.errors import ConfigError

AUTHORITY, CERTIFICATE, KEY = "ca.pem", "server.pem", "server.key"
VALID = timedelta(days=365)
RENEW_BEFORE = timedelta(days=7)


def server_context(folder: Path, now: datetime) -> ssl.SSLContext:
    """Return the server's side of TLS with the certificate in `folder`; makes one where there is none, or it runs out.

    Raises:
        ConfigError: the folder or what is in it cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _good(folder, now):
            _make(folder, now)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    except (OSError, ValueError) as e:  # ssl.SSLError is an OSError
        raise ConfigError(
            "the certificate cannot be used", f"{folder}: {e}", "empty the folder of --tls, or name another"
        ) from e
    return context


def _good(folder: Path, now: datetime) -> bool:
    if not all((folder / name).exists() for name in (AUTHORITY, CERTIFICATE, KEY)):
        return False
    certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    return certificate.not_valid_after_utc - now > RENEW_BEFORE


def _make(folder: Path, now: datetime) -> None:
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _builder("LetsTrade local exchange authority", now, authority_key.public_key())
    signed_authority = (
        authority.issuer_name(_name("LetsTrade local exchange authority"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(one)) for one in ("127.0.0.1", "::1"))]
    certificate = (
        _builder("localhost", now, key.public_key())
        .issuer_name(signed_authority.subject)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write(folder / KEY, key.private_bytes(pem, *plain), 0o600)
    _write(folder / CERTIFICATE, certificate.public_bytes(pem), 0o644)
    _write(folder / AUTHORITY, signed_authority.public_bytes(pem), 0o644)


def _builder(name: str, now: datetime, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _write(path: Path, text: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(text)
    path.chmod(mode)
