"""The tables of the contract, row by row."""
