# SPDX-License-Identifier: MIT
"""Objects that one has captured: photos, their poses and masks, in the frame of a scan."""
