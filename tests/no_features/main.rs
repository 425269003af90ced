//! What holds without any feature.
