"""Every script gives each of its documented answers on every kind of server, and a refusal changes no byte."""
