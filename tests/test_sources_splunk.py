"""Splunk's webhook alert action, with and without Enterprise Security."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.payloads_of import load, read, sample, values


def test_saved_search() -> None:
    alert = sample("splunk", "splunk_saved_search")
    assert alert.title == alert.detection_model == "Brute force against VPN"
    assert alert.severity == "high"
    assert alert.occurred_at == datetime(2026, 2, 2, 2, 40, 0, 123_000, tzinfo=UTC)
    assert (alert.hostname, alert.username, alert.source_ip) == ("vpn-gw-1", "kdoe", "203.0.113.50")
    assert alert.techniques == ["T1110.003"]
    assert alert.tags == ["authentication", "attack"]
    assert alert.external_link.startswith("https://splunk.example.com/app/security/@go?sid=")
    assert values(alert, "ip") == ["203.0.113.50", "10.1.1.1"]
    assert values(alert, "md5") == ["d41d8cd98f00b204e9800998ecf8427e"]
    assert values(alert, "url") == []


def test_the_key_is_the_finding_and_not_the_run_of_the_search() -> None:
    first, again, other = (load("splunk_saved_search") for _ in range(3))
    again |= {"sid": "another_run", "results_link": "https://splunk.example.com/other"}
    again["result"] |= {"_time": "1770000300"}
    other["result"] |= {"src": "203.0.113.51"}
    keys = [read("splunk", document)[0].dedup_key for document in (first, again, other)]
    assert keys[0] == keys[1] != keys[2]
    assert read("splunk", first)[0].source_ref.startswith("rt_scheduler")


def test_notable_event() -> None:
    alert = sample("splunk", "splunk_notable")
    assert alert.title == "Malware found on HR-09"
    assert alert.detection_model == "Threat - Endpoint Rule - Rule"
    assert alert.dedup_key == "0F3A77B2@@notable@@9a8b7c6d5e4f30219a8b7c6d5e4f3021"
    assert alert.severity == "critical"
    assert alert.occurred_at == datetime(2026, 2, 2, 2, 4, 5, tzinfo=UTC)
    assert (alert.source_state, alert.determination, alert.closed) == ("Closed", "malicious", True)
    assert values(alert, "file_path")[0] == "C:\\Users\\amaru\\My Documents\\offer final.docm"
    assert alert.entities[0] == {"type": "system", "name": "HR-09"}


def test_a_search_without_a_name_is_titled_by_what_it_found() -> None:
    alert = sample("splunk", "splunk_unsaved")
    assert alert.title == "Splunk search in the app search: sourcetype linux_secure, host bastion, failures 44"
    assert alert.hostname == "bastion"
    assert alert.severity is None


def test_results_as_a_list() -> None:
    (alert,) = read("splunk", {"search_name": "S", "result": [{"src": "198.51.100.1"}]})
    assert (alert.title, alert.source_ip) == ("S", "198.51.100.1")


def test_the_site_of_a_web_event_is_not_the_machine_concerned() -> None:
    row = {
        "src_host": "MGT-LT-0003",
        "dest": "Files.example.net",
        "url": "https://files.example.net:8443/up",
        "user": "h",
    }
    (alert,) = read("splunk", {"search_name": "Large upload", "result": row})
    assert alert.hostname == "MGT-LT-0003"
    assert [one["name"] for one in alert.assets] == ["MGT-LT-0003"]
    (alone,) = read("splunk", {"search_name": "Large upload", "result": {"dest": "web-01", "url": "https://web-01/x"}})
    assert alone.hostname == "web-01"
