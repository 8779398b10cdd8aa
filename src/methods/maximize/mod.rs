//! `maximize`
mod ascent;
mod canvas;
mod chance;
mod views;

pub use ascent::{ascend, At, By, Image, Objective, Options};
