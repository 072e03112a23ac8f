"""Faults on purpose: kills, full disks, I/O errors, power losses, second writers. `make faults`."""
