//! What the tool fetches and keeps: weight sets and photo packs, each checked against a sha256.
