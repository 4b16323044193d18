# SPDX-License-Identifier: BSD-3-Clause
"""python -m joy"""

from joy.cli import main

main()
