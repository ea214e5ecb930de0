"""Invented remote grips, a camera that hears them, and sniffers that record them.

Nothing here knows how recordings are read or learned, and nothing here is Nikon's: codes, messages and rhythms are
random.
"""
