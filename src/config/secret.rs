use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A credential. Its value is wiped from memory when dropped and never printed.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value in; surrounding white space (a file's last newline) is cut off.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(SecretString::from(value.trim()))
    }

    /// The value itself: for the place that sends it, and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
