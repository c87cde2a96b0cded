"""webapp/gunicorn_conf.py with the language of brackets.py in the place of German; its folder is BRACKETS."""

import os
from pathlib import Path

from webapp.gunicorn_conf import *  # noqa: F403
from webapp.http import language

language.FOLDER = Path(os.environ["BRACKETS"])
