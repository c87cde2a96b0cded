"""Takes the audio of recorded calls from Redis to the store of recordings (state/recording) while they go on."""
