"""A certificate of this machine's own, for pages on a network: made once, kept, renewed before it ends."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

from face_af_common.files import FileError, make_private, read_bytes, write_bytes

_DAYS = 397
"""Apple's devices trust no certificate for longer."""
_RENEW_DAYS = 30
_MOST_BYTES = 100_000


class CertificateError(ValueError):
    """No certificate can be had; one line that says why and what to do."""


def context(certificate: str, key: str, folder: Path, names: Iterable[str]) -> ssl.SSLContext:
    """TLS by the user's files (PEM), or, where ``certificate`` is empty, by one of our own in ``folder``.

    ``names``: host names and addresses that our own is for. Raises :class:`CertificateError`.
    """
    if certificate:
        chain, secret = Path(certificate).expanduser(), Path(key or certificate).expanduser()
    else:
        chain, secret = _own(folder, sorted(set(names)))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(chain, secret)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(
            f"certificate {chain} with key {secret} cannot be used: {error.strerror or error}"
        ) from error
    return made


def _own(folder: Path, names: list[str]) -> tuple[Path, Path]:
    chain, secret = folder / "certificate.pem", folder / "key.pem"
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise CertificateError(
            "a certificate cannot be made without the Python package cryptography: install it (./run setup), or give "
            "files of your own (parameters certificate and key)"
        ) from error
    try:
        if chain.exists() and secret.exists() and _serves(chain, names):
            return chain, secret
    except FileError as error:
        raise CertificateError(str(error)) from error
    except ValueError:
        pass  # damaged: made anew
    key_pem, chain_pem = _made(names)
    try:
        make_private(folder)
        write_bytes(secret, key_pem, private=True)
        write_bytes(chain, chain_pem, private=True)
    except FileError as error:
        raise CertificateError(f"no certificate can be kept: {error}") from error
    return chain, secret


def _serves(chain: Path, names: list[str]) -> bool:
    """Whether the certificate is for ``names`` and lasts. Raises ``ValueError`` where it is none."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(read_bytes(chain, _MOST_BYTES))
    # without a time zone: what the oldest supported library has
    ends = getattr(certificate, "not_valid_after_utc", None) or certificate.not_valid_after.replace(
        tzinfo=datetime.timezone.utc
    )
    if ends - datetime.datetime.now(datetime.timezone.utc) < datetime.timedelta(days=_RENEW_DAYS):
        return False
    try:
        kept = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return {str(entry.value) for entry in kept} >= set(names)


def _made(names: list[str]) -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"face_af on {socket.gethostname()}"[:64])])
    now = datetime.datetime.now(datetime.timezone.utc)
    entries: list[x509.GeneralName] = []
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            entries.append(x509.DNSName(name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(entries), critical=False)
        # an authority of its own, so that a phone can be told to trust it; it may sign nothing else
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret, certificate.public_bytes(serialization.Encoding.PEM)
