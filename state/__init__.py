"""All state, and what every process of ours builds on."""

import sys

# Redis' client imports OpenTelemetry's metrics wherever they are installed. Nobody uses them: ours are Prometheus'.
# They cost each process 0.06 s and 3 MB. Traces (spans.py) need only the rest of that library.
sys.modules.setdefault("opentelemetry.sdk.metrics", None)  # type: ignore[arg-type]
