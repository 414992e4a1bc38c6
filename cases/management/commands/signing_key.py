"""``manage.py signing_key show|rotate``: the key that signs exports (rulings 14)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from cases.actions.signing import rotate
from cases.actors import Actor
from cases.models import SigningKey
from cases.signing import active_key, key_dict


class Command(BaseCommand):
    """Prints JSON: every key with its id, its public half and when it was in use; the newest signs."""

    help = "Show the public keys that verify exports, or replace the one that signs."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two verbs."""
        parser.add_argument("verb", choices=("show", "rotate"))

    def handle(self, *args: Any, **options: Any) -> None:
        """The private half is never shown."""
        rotate(Actor.system()) if options["verb"] == "rotate" else active_key()
        self.stdout.write(json.dumps([key_dict(one) for one in SigningKey.objects.defer("private_key")], indent=1))
