"""Names and shapes of what leaves over HTTP, that others rely on."""
