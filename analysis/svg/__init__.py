"""Figures as data, and as SVG that is written without a drawing library: what hundreds of plain figures need of one."""
