"""``manage.py connector create | test | list | remove | rotate-keys`` (contract: commands). JSON alone on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from soar.connectors import actions
from soar.connectors.errors import ConnectorError, Refused
from soar.connectors.kinds import Kind, Setting
from soar.connectors.models import ConnectorAccount
from soar.connectors.registry import KINDS
from soar.connectors.removal import InUse, remove_account
from soar.connectors.selectors import account_named
from soar.lib import clock, crypto


class Command(BaseCommand):
    """Accounts of other products from the command line, as the system."""

    help = "Make, test, list and remove connector accounts; encrypt all secrets anew."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        kinds = verbs.add_parser("create", help="make an account").add_subparsers(
            dest="kind", required=True, metavar="KIND", parser_class=argparse.ArgumentParser
        )
        for kind in KINDS.values():
            _create_arguments(kinds, kind)
        verbs.add_parser("test", help="test the connection").add_argument("name")
        verbs.add_parser("list", help="all accounts, without secrets")
        verbs.add_parser("remove", help="take one away that nothing uses; its past stays readable").add_argument("name")
        verbs.add_parser("rotate-keys", help="encrypt all secrets with the newest key")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = getattr(self, "do_" + options["verb"].replace("-", "_"))
        try:
            answer = verb(options)
        except Refused as error:
            lines = [f"{field}: {text}" if field else text for field, text in error.errors.items()]
            raise CommandError("\n".join(lines)) from None
        except InUse as error:
            uses = [one.text for one in error.uses]
            raise CommandError("\n  ".join(["It is in use and was not removed:", *uses])) from None
        except (ConnectorError, crypto.DecryptionError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(answer))
        if options["verb"] == "test" and not answer["ok"]:
            sys.exit(1)

    def do_create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Make the account."""
        secrets = dict(options["secret"]) | {key: _read(path) for key, path in options["secret_file"]}
        account = actions.create_account(None, options["kind"], options["name"], dict(options["set"]), secrets)
        return {**_shown(account), "secrets": account.masked_secrets()}

    def do_test(self, options: dict[str, Any]) -> dict[str, Any]:
        """Test the connection; the command ends with 1 when it does not work."""
        account = account_named(options["name"])
        health = actions.test_account(None, account.pk)
        return {
            "name": account.name,
            "ok": health.ok,
            "message": health.message,
            "at": clock.iso(health.at),
            "milliseconds": health.milliseconds,
        }

    def do_list(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        """All accounts."""
        return [_shown(account) for account in ConnectorAccount.objects.all()]

    def do_remove(self, options: dict[str, Any]) -> dict[str, Any]:
        """Take the account away. Refused, with all that needs it, while something does."""
        account = remove_account(None, account_named(options["name"]).pk)
        return {"name": account.name, "kind": account.kind, "removed_at": clock.iso(account.removed_at)}

    def do_rotate_keys(self, options: dict[str, Any]) -> dict[str, int]:
        """Encrypt anew."""
        return {"rotated": crypto.rotate()}


def _create_arguments(kinds: Any, kind: Kind) -> None:
    parser = kinds.add_parser(
        kind.name,
        help=kind.label,
        description=f"Make an account of the kind {kind.name} ({kind.label}).",
        epilog=_listing("settings", kind.all_settings()) + "\n\n" + _listing("secrets", kind.secrets),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    pairs: dict[str, Any] = {"action": "append", "type": _pair, "default": []}
    parser.add_argument("name")
    parser.add_argument("--set", metavar="KEY=VALUE", help="a setting; may be repeated", **pairs)
    parser.add_argument("--secret", metavar="KEY=VALUE", help="a secret; may be repeated", **pairs)
    parser.add_argument(
        "--secret-file", metavar="KEY=FILE", help="a secret that a file holds, unseen in the list of processes", **pairs
    )


def _listing(title: str, settings: Sequence[Setting]) -> str:
    lines = [f"  {item.name:<18} {item.help}{_one_of(item)}{' (needed)' if item.required else ''}" for item in settings]
    return "\n".join([f"{title}:", *(lines or ["  none"])])


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        # The text itself is not repeated: it may be a secret.
        raise argparse.ArgumentTypeError("must be KEY=VALUE")
    return key, value


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _shown(account: ConnectorAccount) -> dict[str, Any]:
    return {
        "id": account.pk,
        "kind": account.kind,
        "name": account.name,
        "settings": account.settings,
        "enabled": account.enabled,
        "last_check_at": clock.iso(account.last_check_at),
        "last_ok_at": clock.iso(account.last_ok_at),
        "last_error": account.last_error,
    }


def _one_of(item: Setting) -> str:
    """The words that a choice takes."""
    return f" [{' | '.join(one or 'nothing' for one in item.choices)}]" if item.choices else ""
