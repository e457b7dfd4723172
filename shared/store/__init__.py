"""Every SQL statement of the product, as functions of a Session."""
