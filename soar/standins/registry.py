"""All stand-ins of the practice range. Adding one is a module and a line here."""

from __future__ import annotations

from soar.standins.base import Standin
from soar.standins.mattermost import Mattermost
from soar.standins.slack import Slack
from soar.standins.smtp import Smtp
from soar.standins.teams import Teams
from soar.standins.visionone import VisionOne
from soar.standins.webhook import Webhook

STANDINS: tuple[type[Standin], ...] = (
    Smtp,
    Slack,
    Teams,
    Mattermost,
    Webhook,
    VisionOne,
)
