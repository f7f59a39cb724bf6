"""Tables from spreadsheets: all faults at once, a preview, all or nothing, and the way back."""
