"""Measures the product beside what people would write instead, in one run."""
