# SPDX-License-Identifier: BSD-3-Clause
"""Joy: packets into flows, flows into answers."""
