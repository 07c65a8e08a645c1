"""The only package that opens a user's file: protocols, mappings, tables and run folders."""

from vagus.io.protocols import read_protocol
from vagus.io.runs import write_trial
from vagus.io.trials import read_trial

__all__ = ["read_protocol", "read_trial", "write_trial"]
