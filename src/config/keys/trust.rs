//! The keys by which anything that is reached over the network says whom to trust, and as whom to present itself.

use super::key;
use super::toml;
use crate::config::kind::{Default, Key, Kind};

pub(super) const CA_BUNDLE: Key = key(
    "ca_bundle",
    Kind::AbsolutePath,
    Default::None,
    "\"/etc/ssl/company-ca.pem\"",
    "PEM file of certificate authorities to trust beside the system's; see [trust.md](trust.md).",
);

pub(super) const CA_BUNDLE_ONLY: Key = key(
    "ca_bundle_only",
    Kind::Boolean,
    toml("false"),
    "true",
    "Trusts `ca_bundle` alone, not the system's authorities. Not beside `verify_tls = false`.",
);

pub(super) const VERIFY_TLS: Key = key(
    "verify_tls",
    Kind::Boolean,
    toml("true"),
    "false",
    "`false` accepts any certificate, also an attacker's; warned about at each run. Prefer `ca_bundle`.",
);

pub(super) const CLIENT_CERTIFICATE: Key = key(
    "client_certificate",
    Kind::AbsolutePath,
    Default::None,
    "\"/etc/secpull/client.pem\"",
    "PEM file of the certificate (and its chain) by which to present oneself; goes with `client_key`.",
);

pub(super) const CLIENT_KEY: Key = key(
    "client_key",
    Kind::AbsolutePath,
    Default::None,
    "\"/etc/secpull/client.key\"",
    "PEM file of the certificate's private key, in plain and not readable by group and others.",
);

pub(super) const PROXY: Key = key(
    "proxy",
    Kind::Proxy,
    Default::Words("as HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say"),
    "\"http://proxy.example.com:3128\"",
    "The proxy to go through; \"none\" goes directly whatever the environment says. With a password in it, the file must \
     not be readable by group and others.",
);
