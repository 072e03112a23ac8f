"""Which clips share footage, where, and how sure: candidates, alignment, same footage or not."""
