# SPDX-License-Identifier: MIT
"""The web page: ``session`` is what it does, ``page`` what it looks like."""
