"""The API described: OpenAPI, AsyncAPI, and a page for people."""
