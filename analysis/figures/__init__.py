"""Figures: data frames in, drawings out."""
