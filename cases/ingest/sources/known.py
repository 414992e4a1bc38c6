"""Names under which senders of plain JSON put things, in the order in which they are tried.

All in the plain spelling of ``cases.ingest.flat.plain``: lower case, no ``_``, ``-`` or blanks.
"""

from __future__ import annotations

from functools import lru_cache

from cases.ingest.text import words

WRAPPERS = frozenset(
    words(
        "alert event data result detection incident body payload finding properties attributes detail"
        " details _source signal notification"
    )
)


TITLE = words(
    "title alerttitle alert.title rulename rule.name alert.rule.name name alertname alert.name signal.rule.name"
    " kibana.alert.rule.name displayname eventname event.name detectionname searchname labels.alertname subject"
    " annotations.summary summary rule.title rule.description headline"
)
# Second choice: texts that tell what happened, of which the first line makes a title.
STORY = words(
    "message msg text reason kibana.alert.reason alert description details detail signature rule event eventtype"
    " event.action action category type check.name check error body log fulllog"
)
# Names that mean a title wherever they stand; the number is their rank.
DEEP_TITLE = {
    name: rank
    for rank, name in enumerate(
        words(
            "alerttitle alertname incidentname title rulename detectname detectionname threatname detectdescription"
            " displayname summary subject headline message description reason"
        )
    )
}
MODEL = words(
    "detectionmodel model modelname rulename rule.name alert.rule.name signal.rule.name kibana.alert.rule.name"
    " detectionname detection.name searchname labels.alertname alertname signature ruleid rule.id policyname"
    " policy.name policy usecase analytic rule detectionrule"
)
DESCRIPTION = words(
    "description alert.description details detail message msg reason summary annotations.description rule.description"
    " body text longdescription comment"
)
SEVERITY = words(
    "severity rule.severity alert.severity signal.rule.severity kibana.alert.severity severitylabel severityname"
    " labels.severity risklevel threatlevel criticality urgency impact level loglevel event.severity"
)
PRIORITY = words("priority alert.priority rule.priority prioritylabel")
SCORE = words("riskscore kibana.alert.riskscore event.riskscore score")
IDENTITY = words(
    "sourceid id _id alertid alert.id signal.id kibana.alert.uuid incidentid uuid guid detectionid externalid uid"
    " findingid offenseid notableid notificationid ticketid event.id eventuuid eventid fingerprint dedupkey"
    " correlationid sourceref"
)
OCCURRED = words(
    "timestamp @timestamp time occurredat occurred eventtime eventtimestamp createdat created createdtime"
    " createddatetime detectedat detectiontime detecteddatetime detectdate triggeredat startsat starttime alerttime"
    " generatedat date datetime _time ts when event.created eventdate lastseen firstseen receivedat"
)
FIRST_SEEN = words("firstseen firstseenat firstactivity firsteventtime starttime startsat event.start")
LAST_SEEN = words("lastseen lastseenat lastactivity lasteventtime endtime event.end")
HOST = words(
    "hostname host.name agent.name computername signal.host.name host.hostname host computer devicename machinename"
    " endpointname endpointhostname endpoint.name device.hostname device.name asset.name host.fqdn machine.name"
    " dvchost dvc dhost shost desthost srchost hostfqdn fqdn workstation endpoint machine device asset server node"
    " computerdnsname agentcomputername agentrealtimeinfo.agentcomputername instance"
    " affectedhost target.hostname observer.name system.name"
)
USER = words(
    "username user.name user signal.user.name account.name accountname account useraccount userprincipalname upn"
    " targetusername targetuser suser duser srcuser dstuser user.email useremail user.id userid login actor.name"
    " relateduser.username relateduser actor principal samaccountname"
)
SOURCE_IP = words(
    "sourceip source.ip srcip src client.ip clientip signal.source.ip ipaddress remoteip attackerip sourceaddress"
    " source.address srcaddr src.ip remoteaddress callerip ipaddr ip sourceipaddress source host.ip agent.ip hostip"
)
DEST_IP = words(
    "destip destination.ip dstip server.ip signal.destination.ip destinationip dest dst destinationaddress dstaddr"
    " dest.ip targetip target.ip destipaddress"
)
TAGS = words("tags rule.tags alert.tags signal.rule.tags kibana.alert.rule.tags labels keywords categories rule.groups")
LINK = words(
    "externallink link alerturl alertlink permalink weburl htmlurl incidenturl incidentlink incidentweburl portalurl"
    " consoleurl falconhostlink workbenchlink detailsurl resultslink generatorurl dashboardurl kibana.alert.url"
    " sourceurl deeplink"
)
STATE = words("status state alertstatus alert.status workflowstatus kibana.alert.workflowstatus incidentstatus")
VERDICT = words(
    "determination verdict disposition dispositionlabel classification analystverdict investigationresult resolution"
    " closereason"
)
TECHNIQUES = words(
    "techniques technique techniqueid techniqueids mitretechnique mitretechniques mitretechniqueid mitretechniqueids"
    " mitreattack mitre.id mitre.technique attack.technique attacktechnique rule.mitre.id threat.technique.id"
    " threat.technique.subtechnique.id tactics.techniques technique.id"
)
LISTS = words("observables iocs indicators artifacts evidence alert.observables event.observables")

# The last part of a field's path -> (type of observable, or "" to go by its look, role).
ROLES: dict[str, tuple[str, str]] = {
    name: (kind, role)
    for kind, role, spellings in (
        ("", "hash", "hash filehash hashes hashvalue processhash imphash"),
        ("md5", "hash", "md5 filemd5 hashmd5 md5hash"),
        ("sha1", "hash", "sha1 filesha1 hashsha1 sha1hash"),
        ("sha256", "hash", "sha256 filesha256 hashsha256 sha256hash"),
        ("url", "url", "url requesturl uri full urlfull"),
        (
            "domain",
            "domain",
            "domain domainname dnsquery query querydomain registereddomain destinationdomain",
        ),
        ("email", "sender", "sender from fromaddress senderaddress mailfrom p1sender p2sender"),
        ("email", "recipient", "recipient to recipients toaddress recipientaddress mailto"),
        ("email", "email", "email emailaddress mail"),
        ("file_name", "file", "filename file attachmentname attachment imagefilename"),
        (
            "file_path",
            "file",
            "filepath path fullpath imagepath executable image processpath folderpath targetpath",
        ),
        ("process", "process", "processname process procname"),
        ("registry_key", "registry", "registrykey regkey registrypath targetobject"),
        ("mac", "mac", "mac macaddress srcmac dstmac"),
        ("cve", "cve", "cve cveid cves"),
        ("ip", "ip", "ip ips ipaddress ipaddresses ipaddr destip dstip remoteip localip natip"),
        ("user", "user", "targetusername subjectusername targetuser srcuser dstuser suser duser"),
        ("asn", "asn", "asn"),
    )
    for name in spellings.split()
}
ROLES |= {
    "process.name": ("process", "process"),
    "process.executable": ("file_path", "process"),
    "file.name": ("file_name", "file"),
    "file.path": ("file_path", "file"),
    "dns.question.name": ("domain", "domain"),
    "question.name": ("domain", "domain"),
    "url.original": ("url", "url"),
    "source.domain": ("domain", "domain"),
    "from.address": ("email", "sender"),
    "to.address": ("email", "recipient"),
}


@lru_cache(maxsize=10_000)
def role_of(path: str) -> tuple[str, str] | None:
    """(type or "", role) for a field by the end of its plain path, or None."""
    parts = path.rsplit(".", 2)
    return ROLES.get(".".join(parts[-2:])) or ROLES.get(parts[-1])
