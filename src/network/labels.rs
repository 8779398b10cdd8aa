//! The classes that a network tells apart: their names, and finding one by what a user calls it.
