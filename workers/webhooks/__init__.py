"""The webhooks process: follow.py writes down what happens to calls (notice.py), couriers.py delivers it (post.py to
webhooks, kafka.py to Kafka)."""
