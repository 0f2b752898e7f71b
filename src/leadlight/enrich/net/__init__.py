"""Guarded access to the network: public addresses only, politely, once."""
