//! E-mail over STARTTLS, by a server of a private authority.

use secpull_simulators::mail::MailServer;

use super::super::support::tls::Authority;
use super::super::support::wait_for;
use super::Shop;

#[test]
fn a_mail_goes_only_to_a_server_of_the_right_authority() {
    let authority = Authority::new();
    let (certificate, key) = authority.identity("localhost", |_| {});
    let server = MailServer::new().login("secpull", "mail-password");
    let postbox = server
        .starttls(&certificate, &key)
        .unwrap()
        .start_blocking()
        .unwrap();
    let shop = Shop::new(2, "");
    shop.installation.write("ca.pem", &authority.pem());
    shop.installation
        .write("other.pem", &Authority::new().pem());
    let told = |name: &str, ca: &str| {
        let bundle = shop.installation.path(ca);
        let table = format!(
            "[notifications.{name}]\nkind = \"email\"\nsmtp = \"localhost:{}\"\nuser = \"secpull\"\n\
             secret = \"mail-password\"\nfrom_address = \"secpull@example.com\"\nto = [\"{name}@example.com\"]\n\
             ca_bundle = \"{}\"\nca_bundle_only = true\n",
            postbox.port(),
            bundle.display()
        );
        shop.installation
            .write(&format!("conf.d/{name}.toml"), &table);
    };
    told("right", "ca.pem");
    told("wrong", "other.pem");
    let _daemon = shop.daemon();
    shop.runs(0);
    let mail = wait_for("the mail", || postbox.mails().pop());
    assert_eq!(mail.to, ["right@example.com"]);
    assert!(mail.over_tls);
    assert_eq!(
        mail.header("Subject").as_deref(),
        Some("[secpull] shop: 2 new findings at or above high (2 high)")
    );
    assert!(mail.data.contains("CVE-2026-00001"), "{}", mail.data);
    let problem = wait_for("the other to be refused", || {
        let status = shop.installation.secpull(&["status", "--format", "json"]);
        let waits = status.json()["waiting"].as_array().cloned()?;
        let waits = waits
            .into_iter()
            .find(|waits| waits["destination"] == "notifications.wrong")?;
        waits["problem"].as_str().map(str::to_owned)
    });
    assert!(problem.contains("certificate is refused"), "{problem}");
    assert_eq!(postbox.mails().len(), 1);
}
