//! Vendors' texts as they may stand in a message: one line, of a length, without characters that change how others look.

/// The text on one line of at most `longest` characters, without control characters and without those that reorder, hide
/// or join what stands around them.
pub(super) fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word: String = word.chars().filter(|c| !is_invisible(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        length += word.chars().count();
        line.push_str(&word);
        if length > longest {
            return cut(&line, longest);
        }
    }
    line
}

/// The text with at most `longest` characters; what is cut ends in `…`.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(longest.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Marks of direction (they make `exe.txt` of `txt.exe`), characters without width, and what only annotates others.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Words in lines of at most `longest` characters, broken at line ends where that is possible.
pub(super) fn chunks(text: &str, longest: usize) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut chunk = String::new();
    let mut length = 0;
    for line in text.lines() {
        let line = cut(line, longest);
        let more = line.chars().count();
        if !chunk.is_empty() && length + 1 + more > longest {
            chunks.push(std::mem::take(&mut chunk));
            length = 0;
        }
        if !chunk.is_empty() {
            chunk.push('\n');
            length += 1;
        }
        chunk.push_str(&line);
        length += more;
    }
    chunks.push(chunk);
    chunks.retain(|chunk| !chunk.trim().is_empty());
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_text_becomes_one_plain_line() {
        let hostile = "Log4j\r\nBcc: everyone@example.com\t\u{1b}[31m red \u{202e}txt.exe\u{202c}\u{200b} end\0";
        assert_eq!(
            one_line(hostile, 100),
            "Log4j Bcc: everyone@example.com [31m red txt.exe end"
        );
        assert_eq!(one_line(" \n\u{feff}\t ", 100), "");
        assert_eq!(one_line("ä".repeat(20).as_str(), 5), "ääää…");
        assert_eq!(one_line("one two", 7), "one two");
        assert_eq!(one_line("one two three", 7), "one tw…");
    }

    #[test]
    fn long_texts_are_broken_between_lines() {
        assert_eq!(chunks("one\ntwo\nthree", 7), ["one\ntwo", "three"]);
        assert_eq!(chunks("a line that is too long\nb", 6), ["a lin…", "b"]);
        assert!(chunks("\n\n", 10).is_empty());
    }
}
