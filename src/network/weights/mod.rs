//! Weight files in: what a file holds becomes parameters under torchvision's names.
