"""A mailbox to which people report messages (ingest-and-api.md 2). Each message is read once, whatever happens to the
connection, the server's numbers and us."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors import attempts
from soar.connectors.errors import ConnectorError
from soar.connectors.imap import mailbox, signing_in
from soar.connectors.imap.mailbox import LEAVE, MOVE, SEEN, Folder, Message
from soar.connectors.imap.signing_in import TokenAsker
from soar.connectors.kinds import Kind, Setting
from soar.connectors.reader import READ, AlertReader, File, Item, Page, Place
from soar.lib import clock, imap
from soar.lib.http import RemoteError

PORTS = {imap.TLS: 993, imap.STARTTLS: 143, imap.AUTO: 143, imap.NONE: 143}
PAGE = 20  # messages
PAGE_BYTES = 32 * 1024 * 1024
WAYS = ("password", "token", "client_secret")
PAGE_SECONDS = 60.0  # that a page may take to come: whoever reads has to say more often that it is still there
FACTS = 100  # messages whose sizes are asked for at once


class ImapReader(TokenAsker, AlertReader):
    """The place is ``uidvalidity`` and the highest ``uid`` that is done; ``after``: what is still to be marked or moved
    of the last page; ``since``: where the first reading began. A message's identity is its content: it stays when a
    server numbers all messages anew."""

    kind = "imap"

    def check(self) -> str:
        """Connect, encrypt, sign in, open the folder. Nothing is changed. Raises ConnectorError."""
        with self._session("test") as session:
            told = session.select(self._folder(), readonly=True)
            if self._after() == MOVE:
                session.select(self._target(), readonly=True)
            how = "encrypted" if session.encrypted else "not encrypted"
            return f"{session.box.host} lets us in ({how}); {told['exists'] or 0} messages in {self._folder()}."

    def subject(self) -> str:
        """See AlertReader."""
        box = self._box()
        return f"{box.username} at {box.host}:{box.port} {self._folder()}"[:300]

    def told(self, place: Place) -> str:
        """See AlertReader."""
        return f"message {place.mark['uid']}" if place.mark.get("uid") else ""

    def read(self, place: Place | None, first: datetime) -> Iterator[Page]:
        """See AlertReader."""
        begun = clock.now()
        with self._session(READ) as session:
            folder = mailbox.opened(session, self._folder(), readonly=self._after() == LEAVE)
            mark = dict(place.mark) if place else {}
            until = place.until if place else None
            since: datetime | None = None
            if mark.get("uidvalidity") != folder.validity:
                # New numbers, or none yet: from where the very first reading began. What was read is known by content.
                since = clock.moment_of(str(mark.get("since", ""))) or first
                mark = {"uidvalidity": folder.validity, "uid": 0, "since": since.isoformat(), "after": []}
            else:
                self._finish(session, mark.get("after", []))
            yield from self._pages(session, folder, mark, since, until)
            top = max(int(mark["uid"]), folder.top - 1) if folder.top else mark["uid"]
            yield Page([], Place(begun, {**mark, "uid": top, "after": []}))

    def _pages(
        self,
        session: imap.Session,
        folder: Folder,
        mark: dict[str, Any],
        since: datetime | None,
        until: datetime | None,
    ) -> Iterator[Page]:
        """Page by page; ``mark`` goes along. What is read is marked or moved only once its page is stored: that is when
        the next one is asked for."""
        for reached, uids in mailbox.numbers(session, folder, int(mark["uid"]), since):
            for messages in self._batches(session, uids, since):
                done = [one.uid for one in messages]
                mark |= {"uid": max(done), "after": done if self._after() != LEAVE else []}
                yield Page([_item(one) for one in messages], Place(until, dict(mark)))
                self._finish(session, mark["after"])
            mark |= {"uid": max(int(mark["uid"]), reached), "after": []}

    def _batches(self, session: imap.Session, uids: list[int], since: datetime | None) -> Iterator[list[Message]]:
        batch: list[Message] = []
        held, begun = 0, time.monotonic()
        for start in range(0, len(uids), FACTS):
            known = mailbox.facts(session, uids[start : start + FACTS])
            for uid, (size, came) in known.items():
                if since and came and came < since:
                    continue
                full = len(batch) >= PAGE or held + min(size, imap.LONGEST_LITERAL) > PAGE_BYTES
                if batch and (full or time.monotonic() - begun >= PAGE_SECONDS):
                    yield batch
                    batch, held, begun = [], 0, time.monotonic()
                found = mailbox.message(session, uid, size)
                if found is not None:
                    batch.append(found)
                    held += len(found.raw)
        if batch:
            yield batch

    def _finish(self, session: imap.Session, uids: Any) -> None:
        known = [uid for uid in uids if isinstance(uid, int)] if isinstance(uids, list) else []
        mailbox.finish(session, known, self._after(), self._target())

    @contextmanager
    def _session(self, operation: str) -> Iterator[imap.Session]:
        """A conversation with its attempt. Raises ConnectorError."""
        if self.dry_run:
            raise ConnectorError("In a dry run nothing is read.", permanent=True)
        if not self.account.enabled:
            raise ConnectorError(f"The connector {self.account.name} is disabled.", permanent=True)
        token = self.token()
        box = self._box(token)
        request = {"url": f"imap://{box.host}:{box.port}", "folder": self._folder(), "security": box.security}
        attempt = attempts.begin(self.account, operation, request, key="", cause=self.cause)
        # A token may be at its end before its time: whoever gave it can take it back.
        renewed = (lambda: self._box(self.token(token))) if token else None
        try:
            with imap.session(box, renewed) as session:
                yield session
        except RemoteError as error:
            attempts.fail(attempt, error)
            raise ConnectorError.of(error) from None
        except GeneratorExit:
            attempts.succeed(attempt, {"message": "Ended before all was read."})
            raise
        except BaseException:
            attempts.lose(attempt)
            raise
        attempts.succeed(attempt, {"message": "Read."})

    def _box(self, token: str = "") -> imap.MailBox:
        account, parts = self.account, urlsplit(str(self.account.settings.get("url", "")))
        security = str(account.settings.get("security") or imap.AUTO)
        if parts.scheme == "imaps":
            security = imap.TLS
        return imap.MailBox(
            parts.hostname or "",
            parts.port or PORTS[security],
            security,
            verify=account.verify_tls,
            authority=self.authority(),
            allow_internal=account.allow_internal,
            username=str(account.secrets.get("username", "")),
            password=str(account.secrets.get("password", "")),
            token=token or str(account.secrets.get("token", "")),
            seconds=float(account.timeout_seconds),
        )

    def _folder(self) -> str:
        return str(self.account.settings.get("folder") or "INBOX")

    def _after(self) -> str:
        return str(self.account.settings.get("after") or LEAVE)

    def _target(self) -> str:
        return str(self.account.settings.get("target") or "")


def _item(message: Message) -> Item:
    cut = {"size": message.size} if message.size > len(message.raw) >= imap.LONGEST_LITERAL else {}
    return Item(cut, f"sha256:{hashlib.sha256(message.raw).hexdigest()}", files=(File("message.eml", message.raw),))


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    found = {}
    if settings["proxy"]:
        found["proxy"] = _("A mailbox is not read through a proxy.")
    if urlsplit(settings["url"]).scheme == "imaps" and settings["security"] not in (imap.AUTO, imap.TLS):
        found["security"] = _("imaps:// is TLS from the start; write imap:// for anything else.")
    for name in ("folder", "target"):
        if any(ord(sign) < 32 or ord(sign) == 127 for sign in settings[name]):
            found[name] = _("A folder's name has no control characters.")
    if settings["after"] == MOVE and settings["target"] in ("", settings["folder"] or "INBOX"):
        found["target"] = _("Name another folder that read messages are moved to.")
    if any(
        ord(sign) < 32
        for name in ("username", "password", "token", "client_secret")
        for sign in secrets.get(name) or ""
    ):
        found["password"] = _("Names and passwords have no control characters.")
    if not secrets.get("username"):
        found["username"] = _("Give the user name of the mailbox.")
    if sum(bool(secrets.get(name)) for name in WAYS) != 1:
        found["password"] = _("Give one of: a password, an OAuth 2 token, a client secret.")
    return {**signing_in.problems(settings, secrets), **found}


KIND = Kind(
    name="imap",
    label=gettext_noop("Mailbox (IMAP)"),
    connector=ImapReader,
    summary=gettext_noop("Reported messages to read"),
    address=Setting(
        "url", gettext_noop("Mail server, imaps://host:993 or imap://host:143"), "url", True, schemes=("imap", "imaps")
    ),
    rules=problems,
    settings=(
        Setting(
            "security",
            gettext_noop("Encryption: automatic is STARTTLS, which only a server on this machine may lack"),
            "choice",
            choices=imap.SECURITY,
            default=imap.AUTO,
        ),
        Setting("folder", gettext_noop("Folder that is read"), default="INBOX"),
        Setting(
            "after",
            gettext_noop("What is done with a message once it is stored"),
            "choice",
            choices=(LEAVE, SEEN, MOVE),
            default=LEAVE,
        ),
        Setting("target", gettext_noop("Folder that read messages are moved to (with move)")),
        *signing_in.SETTINGS,
    ),
    secrets=(
        Setting("username", gettext_noop("User name")),
        Setting("password", gettext_noop("Password, or one for this program alone (app password)")),
        signing_in.SECRET,
        Setting("token", gettext_noop("OAuth 2: an access token that you renew yourself, instead of a client secret")),
    ),
)
