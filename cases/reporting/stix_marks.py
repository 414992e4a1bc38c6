"""The marking definitions of STIX 2.1: the four of the specification (7.2.1.4), and TLP 2.0's AMBER+STRICT, which came
later, as OASIS publishes it (cti-stix-common-objects, extension definition "TLP 2.0")."""

from __future__ import annotations

from typing import Any

_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_IDS = {
    "clear": ("613f2e26-407d-48c7-9eca-b8e91df99dc9", "white"),
    "green": ("34098fce-860f-48ae-8e50-ebd3cc5e41da", "green"),
    "amber": ("f88d31f6-486f-44da-b317-01333bde0b82", "amber"),
    "red": ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red"),
}


def marking(tlp: str) -> dict[str, Any]:
    """The object for a TLP; for a word that is none of TLP 2.0 that of RED, the strictest."""
    if tlp == "amber+strict":
        return {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            "created": "2022-10-01T00:00:00.000Z",
            "name": "TLP:AMBER+STRICT",
            "extensions": {_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}},
        }
    pk, word = _IDS.get(tlp, _IDS["red"])
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{pk}",
        "created": "2017-01-20T00:00:00.000Z",
        "definition_type": "tlp",
        "name": f"TLP:{word.upper()}",
        "definition": {"tlp": word},
    }
