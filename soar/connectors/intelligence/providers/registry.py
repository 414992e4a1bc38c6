"""All providers. Adding one is a file copied from its neighbours and a line here."""

from __future__ import annotations

from soar.connectors.intelligence.providers import abuseipdb, greynoise, misp, otx, threatfox, urlhaus, virustotal
from soar.connectors.kinds import Kind

PROVIDERS: tuple[Kind, ...] = (
    virustotal.KIND,
    abuseipdb.KIND,
    greynoise.KIND,
    otx.KIND,
    urlhaus.KIND,
    threatfox.KIND,
    misp.KIND,
)
