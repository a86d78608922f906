//! Certificate authorities that no system knows.

use std::ops::Deref;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

pub(super) struct Ca(CertifiedIssuer<'static, KeyPair>);

/// Certificate (and what is sent along with it) and key, as PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Ca {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(named(name), key).unwrap())
    }

    /// An intermediate one.
    pub(super) fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(named(name), key, &self.0).unwrap())
    }
}

impl Deref for Ca {
    type Target = CertifiedIssuer<'static, KeyPair>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A certificate for a name.
pub(super) fn issue(ca: &Ca, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Issued {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    Issued {
        certificate: params.signed_by(&key, &ca.0).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

/// One that nobody but itself has issued.
pub(super) fn self_signed(name: &str) -> Issued {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    Issued {
        certificate: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}
