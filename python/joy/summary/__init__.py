# SPDX-License-Identifier: BSD-3-Clause
"""What is in a heap of flows, in one pass and bounded memory.

columns.py gets fields out of batches, counters.py and timeline.py add them up, rules.py says what
an analyst wants pointed out, collect.py holds these together, text.py shows what came of it.
"""
