//! What is proven of requests that do not verify.

mod catalogue;
mod faults;
mod guide;
mod hidden;
mod limits;
mod pairs;
mod reported;
mod secrets;
mod vectors;
mod written;
