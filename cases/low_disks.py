"""Disks that are nearly full: the acting scheduler looks, and those who manage settings are told once of each.

It sees its own host: the embedded database, and storage that hosts share. ``/metrics`` tells of each host.
"""

from __future__ import annotations

import socket

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat

from cases import notices
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.messages import Message
from soar.lib import disks
from soar.lib.clock import iso
from soar.lib.database import prepared
from soar.lib.queue import enqueue
from soar.models import LowDisk

TASK = "cases.tasks.tell_low_disk"
ENOUGH = 1.1  # times the limit: a warning does not come and go with every file
FORGOTTEN = "10 minutes"  # after which nobody watches a host's disk any more: another one's scheduler acts
# For settings.NAV_REASONS: whether there are any, whoever may see them.
ANY_LOW = "EXISTS (SELECT FROM soar_low_disk)"
LOW = """
    INSERT INTO soar_low_disk AS d (host, places, free, size) VALUES (%(host)s, %(places)s, %(free)s, %(size)s)
    ON CONFLICT (host, places) DO UPDATE SET free = excluded.free, size = excluded.size, seen_at = now()
    RETURNING id, xmax = 0"""
STILL = """
    UPDATE soar_low_disk SET free = %(free)s, size = %(size)s, seen_at = now()
    WHERE (host, places) = (%(host)s, %(places)s)"""
OVER = f"""
    DELETE FROM soar_low_disk WHERE CASE WHEN host = %s THEN NOT places = ANY(%s)
        ELSE seen_at < now() - interval '{FORGOTTEN}' END
    RETURNING host, places"""  # noqa: S608  our own words


def watch() -> None:
    """Note which disks of this host are nearly full, and queue the telling of it. Scheduled; one warning each."""
    host, warned = socket.gethostname(), []
    with transaction.atomic(), prepared() as cursor:
        for disk in disks.disks():
            values = {"host": host, "places": ",".join(disk.places), "free": disk.free, "size": disk.size}
            if disk.free >= disks.limit() * ENOUGH:
                continue
            warned.append(values["places"])
            found = cursor.execute(LOW if disk.low else STILL, values)
            for pk, new in found.fetchall() if disk.low else ():
                if new:
                    audit.record(None, "disk.low", f"{values['places']} on {host}", free=disk.free, size=disk.size)
                    enqueue(TASK, pk)
        for where, places in cursor.execute(OVER, [host, warned]).fetchall():
            audit.record(None, "disk.enough" if where == host else "disk.unwatched", f"{places} on {where}")


def tell(row_id: int) -> None:
    """Write to those who manage settings, once, where e-mail is set up; pages warn in any case. Called by a worker,
    outside of any transaction. Raises ConnectorError when it should be tried again later."""
    row = LowDisk.objects.filter(pk=row_id).first()
    if row is None:
        return
    words = disks.words_of(row.places.split(","))
    message = Message(
        title=f"A disk of {row.host} is nearly full",
        text="When it is full, alerts and uploads are refused until there is room again.",
        facts=(("Holds", words), ("Free", filesizeformat(row.free)), ("Size", filesizeformat(row.size))),
        link=f"{settings.SOAR_URL}/settings/operations/",
        thread=f"disk-{row.pk}",
        recipients=notices.addresses("manage_settings"),
    )
    notices.mail(message, key=f"disk-{row.pk}-{iso(row.since)}")


def warned_of(user: User) -> QuerySet[LowDisk]:
    """Those that the person is to look after: the figure beside Settings in the navigation (settings.NAV_COUNTS)."""
    return LowDisk.objects.all() if may(user, "manage_settings") else LowDisk.objects.none()
