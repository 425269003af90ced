//! What is proven of requests that do not verify.

mod guide;
mod hidden;
mod limits;
mod pairs;
mod vectors;
