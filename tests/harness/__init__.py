"""Real servers, processes, browsers and clients for tests, chaos and benchmarks."""
