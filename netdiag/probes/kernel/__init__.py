"""What the kernel tells an ordinary user about his packets: error queue, TCP_INFO, TTL-limited probes. Linux."""
