"""A trustee's server: the key ceremony, evaluation with a share, and the shuffler."""
