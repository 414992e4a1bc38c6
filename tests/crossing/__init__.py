"""Every address of the portal crossed with everybody who may knock: who gets in is written down in ``expected.txt``."""
