"""webapp/gunicorn_conf.py with less patience, so that a test need not wait as long as a telephone company may."""

from webapp import worker
from webapp.gunicorn_conf import *  # noqa: F403

worker.SILENT_SECONDS = 2
