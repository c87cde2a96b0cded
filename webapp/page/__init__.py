"""The live page: its HTML, its sockets, its snapshot."""
