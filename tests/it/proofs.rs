//! What proves that a request is genuine: public keys, tokens, values in the body; and what a layer
//! does with several endpoints, or without enforcing them.

mod groups;
mod places;
mod public_keys;
mod tokens;
