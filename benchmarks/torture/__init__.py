"""Torture of whole runs: kills, flipped bits, full disks, and two at once."""
