"""What the probes build on libraries: DNS, TLS, HTTP and the reads of the machine. Each call makes one record."""
