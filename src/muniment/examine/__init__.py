"""What programs find in objects: one decode pass feeds every examiner, inside a confined worker."""
