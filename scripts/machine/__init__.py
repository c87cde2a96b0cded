"""Programs on this machine: the embedded server, and how everything else here is started, watched and ended."""
