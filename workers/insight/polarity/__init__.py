"""How pleased or displeased an utterance sounds: lexicons, phrases and a learned model, added up by the analyzer."""
