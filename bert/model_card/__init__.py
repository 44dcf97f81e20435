"""README.md of a folder that is given away: what the model is, what it was made from, how good it is."""
