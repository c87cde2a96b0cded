"""webapp/gunicorn_conf.py with the language of brackets.py in place of German. BRACKETS names its folder."""

import os
from pathlib import Path

from webapp.gunicorn_conf import *  # noqa: F403
from webapp.http import language

language.FOLDER = Path(os.environ["BRACKETS"])
