"""The gateway's own pages: kiosk for residents, technician's page, status; all assets on board, no cloud needed."""
