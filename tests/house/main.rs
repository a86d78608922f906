//! How the house is built: floors and arrows.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod arrows;
mod floors;
