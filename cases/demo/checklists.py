"""The checklists of the demo's incidents: which template each took, who got what, what is done."""

from __future__ import annotations

from cases.demo.story import Step, step

CHECKLISTS: dict[str, tuple[Step, ...]] = {
    "invoice": (
        step(49, "jonas", "template", name="Phishing"),
        step(50, "jonas", "give", to="jonas", tasks=["Get the message with its headers", "Find everybody who got it"]),
        step(51, "jonas", "give", to="priya", tasks=["Find out who clicked, opened or answered"]),
        step(56, "jonas", "tick", tasks=["Get the message with its headers"]),
        step(72, "priya", "tick", tasks=["Find everybody who got it", "Find out who clicked, opened or answered"]),
        step(97, "mara", "task", title="Isolate FIN-LT-0114 and FIN-LT-0131", to="mara", required=True),
        step(
            136,
            "mara",
            "task",
            title="Take SRV-APP-07 off the network",
            description="Not before the payroll run ends. Platform names the time; the owner is called first.",
            to="ines",
            required=True,
            due=600,
        ),
        step(226, "mara", "give", to="ines", tasks=["Change passwords and end sessions of those who entered theirs"]),
        step(241, "ines", "tick", tasks=["Isolate FIN-LT-0114 and FIN-LT-0131"]),
        step(337, "ines", "tick", tasks=["Remove the message from all mailboxes"]),
    ),
    "spraying": (
        step(76, "ines", "template", name="Account takeover"),
        step(77, "ines", "give", to="ines", tasks=["List what was read, sent or changed"]),
        step(79, "ines", "tick", tasks=["Confirm with the user, by telephone"]),
        step(
            86,
            "priya",
            "tick",
            tasks=["Disable the account or reset its password", "Review second factors and devices"],
        ),
        step(111, "ines", "tick", tasks=["Review inbox rules, forwarding and delegates"]),
        step(845, "ines", "tick", tasks=["List what was read, sent or changed"]),
    ),
    "remote": (step(35, "jonas", "template", name="Data loss"),),
    "dump": (
        step(121, "priya", "task", title="Reset the password of d.okoro", to="tomas", required=True, due=240),
        step(122, "priya", "task", title="Disable m.tanaka until Thursday", to="priya", required=True),
        step(123, "priya", "task", title="Check the other ten against the dump", to="tomas", due=2880),
        step(331, "tomas", "tick", tasks=["Reset the password of d.okoro"]),
        step(1501, "priya", "tick", tasks=["Disable m.tanaka until Thursday"]),
    ),
    "usb": (
        step(2891, "mara", "task", title="Switch the drives on for the two terminals", to="mara", required=True),
        step(2892, "mara", "task", title="Get the new procedure from Operations", to="mara", due=1440),
    ),
}
