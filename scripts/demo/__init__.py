"""Runs the product on this machine: the embedded server, the Procfile's processes, the demo calls."""
