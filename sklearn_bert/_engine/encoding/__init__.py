"""From token ids to features with a frozen encoder."""
