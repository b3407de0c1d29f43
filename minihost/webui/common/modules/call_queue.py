"""One job at a time."""

import threading

queue_lock = threading.RLock()
