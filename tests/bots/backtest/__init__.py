import pytest

from bots.backtest import native

native_only = pytest.mark.skipif(native.library() is None, reason="no compiled walk for this machine and no C compiler")
