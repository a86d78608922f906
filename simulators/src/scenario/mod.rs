//! Data to serve: a small shop to look at, and as many findings as wanted.

mod catalogue;
mod cluster;
mod many;
mod shop;

pub use cluster::{OPERATOR_NAMESPACE, shop_cluster};
pub use many::{Many, many, many_series};
pub use shop::{SHOP_IMAGE, shop};
