"""Accounts of Microsoft Entra ID and messages of Exchange Online, by Microsoft Graph (connectors.md 4)."""
