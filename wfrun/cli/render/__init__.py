"""Views as text: functions from view data to lines."""
