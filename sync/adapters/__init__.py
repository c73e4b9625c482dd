"""Adapters: each outside library has one home here; nothing else imports it."""
