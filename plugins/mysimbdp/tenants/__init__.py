"""Tenant files: what a customer may send, where it lands and how it is ingested."""
