"""What becomes of overdue debt: late charges as own lines, waivers and write-offs by approval."""
