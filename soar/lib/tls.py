"""Who may vouch for a server that we speak to by TLS: the public authorities, or one of the house (connectors.md 1)."""

from __future__ import annotations

import re
import ssl

import httpx
from cryptography import x509
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _

from soar.lib import clock

BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
LONGEST = 20_000  # characters; a certificate has about 2,000


def context(verify: bool = True, authority: str = "", *, public: bool = False) -> ssl.SSLContext:
    """How a connection is encrypted, and for which servers. ``authority``: certificates (PEM) of the only ones that may
    vouch, "" for the public ones (those of the file SSL_CERT_FILE in their place, where it is set). ``public``: both
    may. Raises ValueError for an authority that is none."""
    if not (verify and authority.strip()):
        return httpx.create_ssl_context(verify=verify, trust_env=True)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if not public else httpx.create_ssl_context(trust_env=True)
    try:
        made.load_verify_locations(cadata="\n".join(BLOCK.findall(authority)))
    except (ssl.SSLError, ValueError, TypeError):  # TypeError: a sign that is not ASCII
        raise ValueError("the certificate of the authority cannot be read") from None
    # Authorities that houses and clusters make for themselves often lack what newer Pythons insist on.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # What is given is believed, also where it is an authority below another one, or the server's own certificate.
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def problem_of(text: str) -> str:
    """Why this cannot be kept as an authority, a sentence; "" if it can."""
    if "PRIVATE KEY-----" in text:
        return _("A private key is in it, which nobody else may have. Give the certificates alone.")
    try:
        found = _certificates(text)
        context(authority=text)
    except ValueError:
        return _("This is no certificate in PEM (-----BEGIN CERTIFICATE-----), or it is damaged.")
    last = max(one.not_valid_after_utc for one in found)
    if last >= clock.now():
        return ""
    return _("It ended on %(date)s; nothing would be believed.") % {"date": last.date().isoformat()}


def names_of(text: str) -> list[str]:
    """The certificates of an authority for people: whose they are, and until when they are good. Empty for none."""
    try:
        found = _certificates(text)
    except ValueError:
        return []
    return [f"{_name(one)} (until {one.not_valid_after_utc.date().isoformat()})" for one in found]


def _certificates(text: str) -> list[x509.Certificate]:
    """Those in the text, at least one. Raises ValueError."""
    found = [x509.load_pem_x509_certificate(block.encode()) for block in BLOCK.findall(text)]
    if not found or text.count("BEGIN CERTIFICATE") != len(found):
        raise ValueError("no certificate, or a part of one")
    return found


def _name(certificate: x509.Certificate) -> str:
    own = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(own[0].value) if own else certificate.subject.rfc4514_string()
