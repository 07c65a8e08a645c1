"""The only package that opens a user's file: protocols, mappings, tables, models and run folders."""

from vagus.io.models import read_library
from vagus.io.protocols import read_protocol
from vagus.io.runs import write_trial
from vagus.io.trials import read_trial

__all__ = ["read_library", "read_protocol", "read_trial", "write_trial"]
