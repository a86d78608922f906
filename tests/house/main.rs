//! How the house is built: floors and arrows.

mod arrows;
mod floors;
