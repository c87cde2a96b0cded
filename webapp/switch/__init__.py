"""What a supervisor does on a switch: listen in and whisper, barge in, take the call over, hang up.

Earshot itself never speaks into a call. It asks the switch, through one small interface (base.py): Asterisk by its REST
interface (asterisk.py), any other by a signed webhook (webhook.py).
"""
