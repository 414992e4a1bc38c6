"""Messages for tests: a phish as it came, and the ways in which people report one."""

from __future__ import annotations

PHISH = """\
Return-Path: <bounce@{host}>\r
Received: from edge.corp.example.org ([10.0.0.7]) by mbx.corp.example.org; Tue, 3 Mar 2026 10:00:05 +0000 (UTC)\r
Received: from mail.{host} (unknown [203.0.113.9])\r
\tby edge.corp.example.org with ESMTPS; Tue, 3 Mar 2026 10:00:01 +0000\r
Authentication-Results: edge.corp.example.org; spf=fail (no permit) smtp.mailfrom={host};\r
 dkim=none; dmarc=fail action=none header.from={host}\r
Authentication-Results: forged.example.net; spf=pass; dkim=pass; dmarc=pass\r
From: =?utf-8?Q?PayPal_S=C3=A9curit=C3=A9?= <service@{host}>\r
Reply-To: Collector <collect@mailbox.example.net>\r
To: Anna Berg <anna.berg@corp.example.org>, "Voss, A." <a.voss@corp.example.org>\r
Cc: helpdesk@corp.example.org\r
Subject: Your account =?iso-8859-1?Q?is_limit=E9?=\r
Message-ID: <{number}@{host}>\r
Date: Tue, 3 Mar 2026 09:59:00 +0000\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="in ner"\r
\r
This is a multi-part message.\r
--in ner\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<html><head><style>p {{ color: red }}</style></head><body><p>Dear customer,</p>\r
<a href=3D"https://eur01.safelinks.protection.outlook.com/?url=3Dhttps%3A%2F%2F{host}=\r
%2Flogin%3Fid%3D1&amp;data=3D05">https://www.paypal.com/login</a>\r
<img src=3D"https://track.{host}/p.gif"><a href=3D"mailto:help@{host}">write</a></body></html>\r
--in ner\r
Content-Type: application/octet-stream\r
Content-Disposition: attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.iso\r
Content-Transfer-Encoding: base64\r
\r
dGhpcyBpcyBub3QgYW4gaW1hZ2U=\r
--in ner--\r
"""
HOST = "paypa1-login.example.com"
FILE = b"this is not an image"


def phish(number: int | str = 1, host: str = HOST) -> bytes:
    """The message as it came to Anna."""
    return PHISH.format(number=number, host=host).encode()


def reported(original: bytes, by: str = "Anna Berg <anna.berg@corp.example.org>", note: str = "Is this real?") -> bytes:
    """The report of Outlook's button and its like: the original attached as it is."""
    head = (
        f"From: {by}\r\nTo: phish@corp.example.org\r\nSubject: FW: Your account\r\n"
        "Message-ID: <r1@corp.example.org>\r\nDate: Tue, 3 Mar 2026 12:00:00 +0100\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="outer"\r\n\r\n--outer\r\n'
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{note}\r\n--outer\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return head.encode() + original + b"\r\n--outer--\r\n"


def plain(text: str, subject: str = "Hello", sender: str = "anna.berg@corp.example.org", **headers: str) -> bytes:
    """A message of one text."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    body = text.replace("\n", "\r\n")
    return (
        f"From: {sender}\r\nSubject: {subject}\r\n{more}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()
    )
