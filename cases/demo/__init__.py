"""Believable demo data: a made-up company, two weeks of its alerts, and the people who work on them.

Payloads are built in the shape of the products and go through the real pipeline; people act through the real
actions, at moments of the past (``soar.lib.clock.at``). ``seed_demo --remove`` takes all of it away again."""
