"""The description of the API: OpenAPI, AsyncAPI, and a page for people."""
