"""Alerts as Wazuh's integrator hands them over."""

from __future__ import annotations

from typing import Any

from cases.demo.estate import ACCOUNTS, Host, sha1, sha256
from cases.demo.scene import Scene


def ssh(scene: Scene) -> dict[str, Any]:
    """Somebody tries passwords at SSH."""
    user = scene.fact("account", *ACCOUNTS)
    failed = f"Failed password for invalid user {user} from {scene.address} port 51822 ssh2"
    line = f"sshd[{scene.rng.randint(900, 32000)}]: {failed}"
    rule = _rule(
        "5712",
        10,
        "sshd: brute force trying to get access to the system. Non existent user.",
        ("syslog", "sshd", "authentication_failures"),
        "T1110.001",
    )
    return _alert(scene, rule, {"data": {"srcip": scene.address, "srcuser": user}, "full_log": line})


def integrity(scene: Scene) -> dict[str, Any]:
    """A watched file changed."""
    path = scene.fact("path", "/etc/sudoers", "/etc/ssh/sshd_config", "/etc/crontab", "/usr/local/bin/deploy.sh")
    rule = _rule("550", 7, "Integrity checksum changed.", ("ossec", "syscheck"), "T1565.001")
    check = {
        "path": path,
        "event": "modified",
        "uname_after": "root",
        "sha1_after": sha1(path + scene.server.name),
        "sha256_after": sha256(path + scene.server.name),
    }
    return _alert(scene, rule, {"syscheck": check, "full_log": f"File '{path}' modified", "location": "syscheck"})


def web(scene: Scene) -> dict[str, Any]:
    """A web server was asked for something it should not give."""
    path = scene.fact("path", "/?id=1%27%20OR%20%271%27=%271", "/../../../../etc/passwd", "/wp-login.php", "/.env")
    rule = _rule("31164", 6, "Web server: attempt to read or change what is not public.", ("web", "attack"), "T1190")
    url = f"https://{scene.server.name}.nordhavn.example.com{path}"
    line = f'{scene.address} - - "GET {path} HTTP/1.1" 404 153'
    return _alert(scene, rule, {"data": {"srcip": scene.address, "url": url, "protocol": "GET"}, "full_log": line})


def shell(scene: Scene) -> dict[str, Any]:
    """A script appeared where uploads are kept."""
    path = scene.fact("path", "/srv/www/careers/uploads/cv.php")
    rule = _rule("554", 12, "File added to the folder of uploads: script.", ("ossec", "syscheck", "web"), "T1505.003")
    check = {"path": path, "event": "added", "uname_after": "www-data", "sha256_after": sha256("cv.php")}
    data = {"srcip": scene.address}
    return _alert(scene, rule, {"syscheck": check, "data": data, "full_log": f"File '{path}' added"})


def sudo(scene: Scene) -> dict[str, Any]:
    """First use of sudo by somebody."""
    user = scene.fact("account", "a.petrov", "c.ndiaye", "deploy")
    rule = _rule("5403", 4, "First time user executed sudo.", ("syslog", "sudo"), "T1548.003")
    line = f"sudo: {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx"
    return _alert(scene, rule, {"data": {"srcuser": user, "dstuser": "root"}, "full_log": line})


def miner(scene: Scene) -> dict[str, Any]:
    """A process that uses all processors and talks to a mining pool."""
    rule = _rule("100411", 12, "Process connects to a mining pool.", ("audit", "resource_hijacking"), "T1496")
    command = f"/opt/.x/kswapd0 -o {scene.name}:3333 -u nordhavn --tls"
    data = {
        "dstip": scene.address,
        "audit": {"exe": "/opt/.x/kswapd0", "command": command, "file": {"name": "/opt/.x/kswapd0"}},
    }
    return _alert(scene, rule, {"data": data, "full_log": f"type=EXECVE {command}"})


def _rule(number: str, level: int, text: str, groups: tuple[str, ...], technique: str) -> dict[str, Any]:
    mitre = {"id": [technique], "tactic": []}
    return {"id": number, "level": level, "description": text, "groups": list(groups), "mitre": mitre, "firedtimes": 1}


def _alert(scene: Scene, rule: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    host: Host = scene.server
    return {
        "timestamp": scene.at().replace("Z", "+0000"),
        "id": f"{scene.moment.timestamp():.0f}.{scene.number:06d}",
        "rule": rule,
        "agent": {"id": f"{sum(host.name.encode()) % 100:03d}", "name": host.name, "ip": host.address},
        "manager": {"name": "wazuh-mgr-1"},
        "location": "/var/log/auth.log",
        **event,
    }
