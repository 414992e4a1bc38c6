"""All stand-ins of the practice range. Adding one is a module and a line here."""

from __future__ import annotations

from soar.standins.abuseipdb import AbuseIPDB
from soar.standins.aws import Aws
from soar.standins.base import Standin
from soar.standins.crowdstrike import CrowdStrike
from soar.standins.defender import Defender
from soar.standins.entra import Entra
from soar.standins.feed import Feed
from soar.standins.fortinet import FortiGate
from soar.standins.google_iam import GoogleIam
from soar.standins.greynoise import GreyNoise
from soar.standins.kubernetes import Kubernetes
from soar.standins.ldap import Ldap
from soar.standins.mattermost import Mattermost
from soar.standins.misp import Misp
from soar.standins.okta import Okta
from soar.standins.otx import Otx
from soar.standins.panos import PanOs
from soar.standins.servicenow.standin import ServiceNow
from soar.standins.slack import Slack
from soar.standins.smtp import Smtp
from soar.standins.stocked_alerts import StockedElasticsearch, StockedMicrosoftGraph
from soar.standins.taxii import Taxii
from soar.standins.teams import Teams
from soar.standins.threatfox import ThreatFox
from soar.standins.urlhaus import UrlHaus
from soar.standins.virustotal import VirusTotal
from soar.standins.visionone_stock import StockedVisionOne
from soar.standins.webhook import Webhook

STANDINS: tuple[type[Standin], ...] = (
    Smtp,
    Slack,
    Teams,
    Mattermost,
    Webhook,
    StockedVisionOne,
    Entra,
    Defender,
    CrowdStrike,
    Aws,
    GoogleIam,
    Kubernetes,
    Ldap,
    Okta,
    PanOs,
    FortiGate,
    StockedMicrosoftGraph,
    StockedElasticsearch,
    ServiceNow,
    VirusTotal,
    AbuseIPDB,
    GreyNoise,
    Otx,
    UrlHaus,
    ThreatFox,
    Feed,
    Misp,
    Taxii,
)
