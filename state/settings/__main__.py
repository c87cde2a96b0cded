"""Writes .env.example: python -m state.settings > .env.example"""

import sys

from state.settings import example

sys.stdout.write(example())
