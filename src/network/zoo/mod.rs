//! The architectures: one readable file a family, and the list of their names.
