"""What the user writes, read with line numbers kept and checked with all faults at once."""
