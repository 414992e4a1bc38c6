"""ATT&CK techniques by name: some products give "Valid Accounts" where others give T1078. Enterprise matrix."""

from __future__ import annotations

import re

_TABLE = """
1001 Data Obfuscation|1003 OS Credential Dumping|1003 Credential Dumping|1005 Data from Local System
1006 Direct Volume Access|1007 System Service Discovery|1008 Fallback Channels|1010 Application Window Discovery
1011 Exfiltration Over Other Network Medium|1012 Query Registry|1014 Rootkit
1016 System Network Configuration Discovery|1018 Remote System Discovery|1020 Automated Exfiltration
1021 Remote Services|1025 Data from Removable Media|1027 Obfuscated Files or Information
1029 Scheduled Transfer|1030 Data Transfer Size Limits|1033 System Owner/User Discovery|1036 Masquerading
1037 Boot or Logon Initialization Scripts|1039 Data from Network Shared Drive|1040 Network Sniffing
1041 Exfiltration Over C2 Channel|1046 Network Service Discovery|1046 Network Service Scanning
1047 Windows Management Instrumentation|1048 Exfiltration Over Alternative Protocol
1049 System Network Connections Discovery|1052 Exfiltration Over Physical Medium|1053 Scheduled Task/Job
1055 Process Injection|1056 Input Capture|1057 Process Discovery|1059 Command and Scripting Interpreter
1068 Exploitation for Privilege Escalation|1069 Permission Groups Discovery|1070 Indicator Removal
1071 Application Layer Protocol|1072 Software Deployment Tools|1074 Data Staged|1078 Valid Accounts
1080 Taint Shared Content|1082 System Information Discovery|1083 File and Directory Discovery
1087 Account Discovery|1090 Proxy|1091 Replication Through Removable Media
1092 Communication Through Removable Media|1095 Non-Application Layer Protocol|1098 Account Manipulation
1102 Web Service|1104 Multi-Stage Channels|1105 Ingress Tool Transfer|1106 Native API|1110 Brute Force
1111 Multi-Factor Authentication Interception|1112 Modify Registry|1113 Screen Capture|1114 Email Collection
1115 Clipboard Data|1119 Automated Collection|1120 Peripheral Device Discovery|1123 Audio Capture
1124 System Time Discovery|1125 Video Capture|1127 Trusted Developer Utilities Proxy Execution
1129 Shared Modules|1132 Data Encoding|1133 External Remote Services|1134 Access Token Manipulation
1135 Network Share Discovery|1136 Create Account|1137 Office Application Startup
1140 Deobfuscate/Decode Files or Information|1176 Browser Extensions|1176 Software Extensions
1185 Browser Session Hijacking|1187 Forced Authentication|1189 Drive-by Compromise
1190 Exploit Public-Facing Application|1195 Supply Chain Compromise|1197 BITS Jobs|1199 Trusted Relationship
1200 Hardware Additions|1201 Password Policy Discovery|1202 Indirect Command Execution
1203 Exploitation for Client Execution|1204 User Execution|1205 Traffic Signaling|1207 Rogue Domain Controller
1210 Exploitation of Remote Services|1211 Exploitation for Defense Evasion
1212 Exploitation for Credential Access|1213 Data from Information Repositories
1216 System Script Proxy Execution|1217 Browser Information Discovery|1218 System Binary Proxy Execution
1219 Remote Access Software|1219 Remote Access Tools|1220 XSL Script Processing|1221 Template Injection
1222 File and Directory Permissions Modification|1480 Execution Guardrails|1482 Domain Trust Discovery
1484 Domain or Tenant Policy Modification|1484 Domain Policy Modification|1485 Data Destruction
1486 Data Encrypted for Impact|1489 Service Stop|1490 Inhibit System Recovery|1491 Defacement
1495 Firmware Corruption|1496 Resource Hijacking|1497 Virtualization/Sandbox Evasion
1498 Network Denial of Service|1499 Endpoint Denial of Service|1505 Server Software Component
1518 Software Discovery|1525 Implant Internal Image|1526 Cloud Service Discovery
1528 Steal Application Access Token|1529 System Shutdown/Reboot|1530 Data from Cloud Storage
1531 Account Access Removal|1534 Internal Spearphishing|1535 Unused/Unsupported Cloud Regions
1537 Transfer Data to Cloud Account|1538 Cloud Service Dashboard|1539 Steal Web Session Cookie
1542 Pre-OS Boot|1543 Create or Modify System Process|1546 Event Triggered Execution
1547 Boot or Logon Autostart Execution|1548 Abuse Elevation Control Mechanism
1550 Use Alternate Authentication Material|1552 Unsecured Credentials|1553 Subvert Trust Controls
1554 Compromise Host Software Binary|1555 Credentials from Password Stores
1556 Modify Authentication Process|1557 Adversary-in-the-Middle|1558 Steal or Forge Kerberos Tickets
1559 Inter-Process Communication|1560 Archive Collected Data|1561 Disk Wipe|1562 Impair Defenses
1563 Remote Service Session Hijacking|1564 Hide Artifacts|1565 Data Manipulation|1566 Phishing
1567 Exfiltration Over Web Service|1568 Dynamic Resolution|1569 System Services|1570 Lateral Tool Transfer
1571 Non-Standard Port|1572 Protocol Tunneling|1573 Encrypted Channel|1574 Hijack Execution Flow
1578 Modify Cloud Compute Infrastructure|1580 Cloud Infrastructure Discovery|1583 Acquire Infrastructure
1584 Compromise Infrastructure|1585 Establish Accounts|1586 Compromise Accounts|1587 Develop Capabilities
1588 Obtain Capabilities|1589 Gather Victim Identity Information|1590 Gather Victim Network Information
1591 Gather Victim Org Information|1592 Gather Victim Host Information|1593 Search Open Websites/Domains
1594 Search Victim-Owned Websites|1595 Active Scanning|1596 Search Open Technical Databases
1597 Search Closed Sources|1598 Phishing for Information|1599 Network Boundary Bridging
1600 Weaken Encryption|1601 Modify System Image|1602 Data from Configuration Repository
1606 Forge Web Credentials|1608 Stage Capabilities|1609 Container Administration Command
1610 Deploy Container|1611 Escape to Host|1612 Build Image on Host|1613 Container and Resource Discovery
1614 System Location Discovery|1615 Group Policy Discovery|1619 Cloud Storage Object Discovery
1620 Reflective Code Loading|1621 Multi-Factor Authentication Request Generation|1622 Debugger Evasion
1647 Plist File Modification|1648 Serverless Execution|1649 Steal or Forge Authentication Certificates
1650 Acquire Access|1651 Cloud Administration Command|1652 Device Driver Discovery|1653 Power Settings
1654 Log Enumeration|1656 Impersonation|1657 Financial Theft|1659 Content Injection
1003.001 LSASS Memory|1003.002 Security Account Manager|1003.003 NTDS|1003.006 DCSync
1021.001 Remote Desktop Protocol|1021.002 SMB/Windows Admin Shares|1021.006 Windows Remote Management
1053.005 Scheduled Task|1055.012 Process Hollowing|1059.001 PowerShell|1059.003 Windows Command Shell
1059.004 Unix Shell|1059.005 Visual Basic|1059.006 Python|1059.007 JavaScript
1070.001 Clear Windows Event Logs|1078.002 Domain Accounts|1078.003 Local Accounts|1078.004 Cloud Accounts
1110.001 Password Guessing|1110.002 Password Cracking|1110.003 Password Spraying|1110.004 Credential Stuffing
1204.001 Malicious Link|1204.002 Malicious File|1218.005 Mshta|1218.010 Regsvr32|1218.011 Rundll32
1505.003 Web Shell|1543.003 Windows Service|1547.001 Registry Run Keys / Startup Folder
1548.002 Bypass User Account Control|1550.002 Pass the Hash|1550.003 Pass the Ticket
1558.001 Golden Ticket|1558.002 Silver Ticket|1558.003 Kerberoasting|1558.004 AS-REP Roasting
1562.001 Disable or Modify Tools|1566.001 Spearphishing Attachment|1566.002 Spearphishing Link
"""
_LETTERS = re.compile("[^a-z0-9]")


def _plain(name: str) -> str:
    return _LETTERS.sub("", name.lower())


_NUMBERS = {
    _plain(name): f"T{number}"
    for row in _TABLE.strip().splitlines()
    for number, _, name in (entry.partition(" ") for entry in row.split("|"))
}


def technique_named(name: str) -> str:
    """The number of the technique of that name in any capitals and punctuation (``T1078``), or ""."""
    return _NUMBERS.get(_plain(name), "") if len(name) <= 100 else ""
