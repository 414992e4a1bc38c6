"""Certificates for tests: an authority of one's own, and servers that it vouches for."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

PEM = serialization.Encoding.PEM
DAY = datetime.timedelta(days=1)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """Vouches for servers. ``file`` holds its certificate; other files are kept beside it."""

    file: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @classmethod
    def made(cls, folder: Path, name: str) -> Authority:
        """A new one."""
        self = cls(folder / f"{name}.pem", ec.generate_private_key(ec.SECP256R1()), _named(name))
        rules = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._signed(self.name, self.key, rules)
        self.file.write_bytes(certificate.public_bytes(PEM))
        return self

    @property
    def text(self) -> str:
        """Its certificate in PEM."""
        return self.file.read_text()

    def pair(self, host: str) -> str:
        """What ``server`` made for that host: its private key, then its certificate."""
        return self.file.with_name(f"{host}.pair.pem").read_text()

    def ended(self) -> str:
        """A certificate of an authority that ended yesterday."""
        made = self._signed(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0), timezone.now() - DAY)
        return made.public_bytes(PEM).decode()

    def server(self, host: str, *, over: bool = False) -> ssl.SSLContext:
        """The TLS context of a server called ``host``, whose certificate may be ``over``: of yesterday."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = self._signed(_named(host), key, names, end=timezone.now() + (-DAY if over else DAY))
        plain = serialization.NoEncryption()
        pair = self.file.with_name(f"{host}.pair.pem")
        pair.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        return context

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extension: x509.ExtensionType,
        end: datetime.datetime | None = None,
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number())
        until = end or timezone.now() + DAY
        builder = builder.not_valid_before(until - 3 * DAY).not_valid_after(until)
        return builder.add_extension(extension, critical=True).sign(self.key, hashes.SHA256())
