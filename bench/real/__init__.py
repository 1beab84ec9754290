"""Real models on one machine: how many calls they carry, beside Pipecat with the same models; and a soak."""
