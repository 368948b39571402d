"""The disposition: goods that a customer should not keep, until there is proof of them."""
