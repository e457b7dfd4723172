"""Imported first of all: what a process imports stays, and looking through it for garbage again and again costs a sixth of the import."""

import gc

gc.disable()  # bots/__main__.py enables it once everything is imported
