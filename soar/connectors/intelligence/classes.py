"""What a hit on a bundled warning list means, and why (response-playbooks.md 13).

benign:  the value is known good. It is not rated, and destructive actions on it are blocked.
context: worth telling, but bad values stand there just as well; it never makes anything good or bad.

The groups matter once: that a name is popular or a vendor's is worth nothing where anybody may put something,
so a hit on a ``shared`` list turns benign hits into context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BENIGN = "benign"
CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Meaning:
    """``group`` is shown as the list's category."""

    effect: str
    group: str
    reason: str


POPULAR = Meaning(BENIGN, "popular", "Among the most visited sites; blocking it would be felt by everybody.")
VENDOR = Meaning(BENIGN, "vendor", "Belongs to a well-known vendor or institution that alone puts things there.")
RESOLVER = Meaning(
    CONTEXT, "infrastructure", "Answers DNS for anybody. The list holds every open resolver, badly kept routers too."
)
EDGE = Meaning(BENIGN, "infrastructure", "Serves thousands of sites at once; blocking it would cut them all off.")
MAIL = Meaning(BENIGN, "infrastructure", "Mail servers of large providers.")
HASH = Meaning(BENIGN, "known file", "Files that come with systems or are empty; often in indicator lists by mistake.")
TRUST = Meaning(BENIGN, "known file", "Certificates that browsers trust.")
CRAWLER = Meaning(
    CONTEXT, "scanner", "Scans or crawls the whole internet: explains noise, is no proof of harmlessness."
)
RESERVED = Meaning(CONTEXT, "reserved", "Not routed on the internet; says nothing about good or bad.")
RENTED = Meaning(CONTEXT, "hosting", "Addresses that anybody can rent by the hour.")
SHARED = Meaning(CONTEXT, "shared", "A service where anybody may put something; attackers do.")
HIDING = Meaning(CONTEXT, "anonymiser", "Hides who is behind it.")
SINK = Meaning(CONTEXT, "sinkhole", "A sinkhole: whoever talks to it is probably infected.")
PARKED = Meaning(CONTEXT, "parking", "Parked names: what stands there may change hands tomorrow.")
TESTING = Meaning(CONTEXT, "test", "Made for tests; the source may be a drill.")
IDENTIFIER = Meaning(CONTEXT, "identifier", "A known identifier; who uses it is not known.")
ADDRESS_CHECK = Meaning(CONTEXT, "identifier", "Tells one's own address; used by people and by malware.")

MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(
        ("tranco10k", "alexa", "majestic_million", "moz-top500", "cisco_top1000", "cisco_top5k", "cisco_top10k",
         "cisco_top20k", "tranco", "google-chrome-crux-1million"), POPULAR),
    **dict.fromkeys(
        ("google", "microsoft", "microsoft-office365", "microsoft-office365-ip", "microsoft-office365-cn",
         "microsoft-win10-connection-endpoints", "apple", "bank-website", "university_domains", "dax30", "wikimedia",
         "covid", "covid-19-krassi-whitelist", "covid-19-cyber-threat-coalition-whitelist", "captive-portals",
         "security-provider-blogpost", "crl-hostname", "crl-ip", "zscaler", "tenable-cloud-ipv4", "tenable-cloud-ipv6",
         "automated-malware-analysis", "umbrella-blockpage-v4", "umbrella-blockpage-v6",
         "umbrella-blockpage-hostname"), VENDOR),
    **dict.fromkeys(("public-dns-v4", "public-dns-v6", "public-dns-hostname"), RESOLVER),
    **dict.fromkeys(("cloudflare", "akamai", "fastly", "stackpath"), EDGE),
    **dict.fromkeys(("google-gmail-sending-ips", "smtp-receiving-ips", "smtp-sending-ips"), MAIL),
    **dict.fromkeys(("nioc-filehash", "ti-falsepositives", "common-ioc-false-positive", "empty-hashes"), HASH),
    **dict.fromkeys(("mozilla-CA", "mozilla-IntermediateCA"), TRUST),
    **dict.fromkeys(("shadowserver", "googlebot", "openai-gptbot", "check-host-net", "modat-scanner",
                     "onyphe-scanner"), CRAWLER),
    **dict.fromkeys(("rfc1918", "rfc5735", "rfc6598", "rfc3849", "rfc6761", "multicast", "ipv6-linklocal"), RESERVED),
    **dict.fromkeys(("amazon-aws", "google-gcp", "ovh-cluster", "github", "microsoft-azure", "microsoft-azure-china",
                     "microsoft-azure-us-gov", "microsoft-azure-germany"), RENTED),
    **dict.fromkeys(("lots-project", "dynamic-dns", "url-shortener", "link-in-bio", "public-ipfs-gateways"), SHARED),
    **dict.fromkeys(("vpn-ipv4", "vpn-ipv6", "disposable-email"), HIDING),
    "sinkholes": SINK,
    "digitalside": Meaning(CONTEXT, "popular", "Large sites and file hosts together, left out of a feed: says little."),
    **dict.fromkeys(("parking-domain", "parking-domain-ns"), PARKED),
    **dict.fromkeys(("eicar.com", "microsoft-attack-simulator"), TESTING),
    **dict.fromkeys(("tlds", "second-level-tlds", "microsoft-azure-appid", "common-contact-emails",
                     "phone_numbers"), IDENTIFIER),
    **dict.fromkeys(("whats-my-ip", "findip-host"), ADDRESS_CHECK),
}  # fmt: skip


def meaning_of(slug: str) -> Meaning:
    """The meaning of the list ``slug``. One that nobody has judged yet is context: the careful side."""
    if re.search(r"(^|-)scanning$", slug):
        return CRAWLER
    return MEANINGS.get(slug, Meaning(CONTEXT, "other", "A list that has not been judged: shown, without effect."))
