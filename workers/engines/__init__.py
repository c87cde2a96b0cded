"""Speech engines behind one interface: see base.py. Each engine is one module; choose.py picks one."""
