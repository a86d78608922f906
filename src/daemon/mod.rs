//! The service's life cycle: signals, reload, sd_notify, watchdog; `control` has the socket's server and client.

pub mod control;
