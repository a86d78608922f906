#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use super::*;

/// Says each line, and gives the code of each answer.
fn talk(postbox: &Postbox, lines: &[&str]) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", postbox.port())).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut answer = || loop {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        // A dash stands where more lines follow.
        if line.as_bytes().get(3) != Some(&b'-') {
            return line[..3].to_owned();
        }
    };
    let mut codes = vec![answer()];
    for line in lines {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        codes.push(answer());
    }
    codes
}

#[test]
fn a_mail_is_taken_as_it_was_meant() {
    let postbox = MailServer::new().start_blocking().unwrap();
    let data = "Subject: two\r\n lines\r\n\r\n..dot\r\n.";
    let lines = [
        "EHLO me",
        "MAIL FROM:<a@b>",
        "RCPT TO:<c@d>",
        "DATA",
        data,
        "QUIT",
    ];
    let codes = talk(&postbox, &lines);
    assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "221"]);
    let mail = postbox.mails().remove(0);
    assert_eq!((mail.from.as_str(), mail.to[0].as_str()), ("a@b", "c@d"));
    assert_eq!(mail.header("subject").as_deref(), Some("two lines"));
    assert!(mail.data.ends_with("\r\n\r\n.dot\r\n"), "{:?}", mail.data);
}

#[test]
fn nothing_is_taken_out_of_turn_or_without_a_login() {
    let open = MailServer::new().start_blocking().unwrap();
    assert_eq!(
        talk(&open, &["MAIL FROM:<a@b>", "DATA", "WHAT"]),
        ["220", "503", "503", "502"]
    );
    let closed = MailServer::new()
        .login("me", "word")
        .start_blocking()
        .unwrap();
    let wrong = ["EHLO me", "MAIL FROM:<a@b>", "AUTH PLAIN AG1lAHdyb25n"];
    assert_eq!(talk(&closed, &wrong), ["220", "250", "530", "535"]);
    let right = [
        "EHLO me",
        "AUTH PLAIN AG1lAHdvcmQ=",
        "MAIL FROM:<a@b>",
        "RCPT TO:<c@d>",
        "DATA",
        "bare\nline\r\n.",
    ];
    assert_eq!(
        talk(&closed, &right),
        ["220", "250", "235", "250", "250", "354", "550"]
    );
    assert!(open.mails().is_empty() && closed.mails().is_empty());
}
