"""What the API and the sockets say and take, as types. The JSON, its checks and the OpenAPI document come from here.

shapes.py makes these types from the store's values.
"""
