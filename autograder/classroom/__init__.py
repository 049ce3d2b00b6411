"""A class -> reports: who handed in what, workers that grade it side by side, results that are never lost."""
