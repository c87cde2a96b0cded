"""The types of the API and the sockets. The JSON, its checks and the OpenAPI document come from here.

shapes.py makes these types from the store's values.
"""
