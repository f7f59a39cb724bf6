"""The gateway measured beside a peer, bare framing and the disk, on one farm of meters that count for themselves."""
