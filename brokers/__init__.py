"""One seam (contract.py) and the wires behind it."""
