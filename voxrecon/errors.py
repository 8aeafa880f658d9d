# SPDX-License-Identifier: MIT
"""Errors that a user can mend: one line each, with the offending value and the expected one."""


class VoxreconError(Exception):
    """Base of all user errors; the command line prints its message alone, without a traceback."""


class ConfigError(VoxreconError):
    """A config or a command-line option that does not fit."""


class FileError(VoxreconError):
    """A file that cannot be used; the message starts with its path."""


class SampleError(FileError):
    """A sample of a data set that is missing, broken or too small for what is asked of it."""


class CheckpointError(FileError):
    """A checkpoint that is broken, foreign or not written."""
