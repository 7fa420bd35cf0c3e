"""A customer of the vendor: a client written from the vendor's pages alone, and the servers that are called back."""
