"""Every documented answer of every script, on every kind of server; and a refusal changes no byte."""
