//! `maximize`
mod ascent;
mod canvas;
mod chance;
mod views;

pub use ascent::{At, By, Image, Objective, Options, ascend};
