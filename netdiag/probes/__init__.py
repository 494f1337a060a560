"""The only part of netdiag that touches the network. Probes record what happened and never what it means."""
