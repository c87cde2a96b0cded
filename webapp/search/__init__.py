"""The search in live calls: the words that this process keeps, and the calls that hold them."""
