"""The functions as they were before any run replaced them: what the harness itself goes by."""

import _thread
import select
import selectors
import time

allocate_lock = _thread.allocate_lock
reentrant_lock = _thread.RLock
monotonic = time.monotonic
used_s = time.process_time
sleep = time.sleep
poll_object = select.poll


class RealSelector(selectors.DefaultSelector):
    """The platform's selector with real waits, whatever its class is patched to."""

    select = selectors.DefaultSelector.select
    _selector_cls = getattr(selectors.DefaultSelector, "_selector_cls", None)
