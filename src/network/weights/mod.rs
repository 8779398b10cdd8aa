//! Where a network's numbers come from: files in several formats, a catalogue, a cache.
