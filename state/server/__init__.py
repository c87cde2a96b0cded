"""The server that holds the store: connections, shards, scripts, rights."""
