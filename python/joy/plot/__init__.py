# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of flows.

select.py picks flows, figures.py turns their records into the numbers that are drawn, picture.py
draws these as PNG or SVG (matplotlib), terminal.py with characters.  Both draw the same numbers.
"""
