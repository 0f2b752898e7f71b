"""Webhooks of mail providers: what each says, and how it is known to be theirs."""
