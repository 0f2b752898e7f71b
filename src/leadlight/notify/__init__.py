"""Deliver what the outbox holds: signed webhooks, messages to a chat, e-mail."""
