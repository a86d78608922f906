//! Tables for people: plain columns, no lines, as wide as the terminal.

use std::io::Write;

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width,
};

pub(crate) use comfy_table::Color;

use super::output::{Look, Output};
use super::text::clean;
use crate::finding::Severity;
use crate::store::RunState;

/// Spaces between two columns.
const GAP: u16 = 2;

/// An elastic column is not made narrower than this.
const NARROWEST: u16 = 12;

/// A column's head and behaviour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    elastic: bool,
    number: bool,
}

impl Column {
    /// Words of about the same length, never cut.
    pub(crate) const fn word(title: &'static str) -> Self {
        Self {
            title,
            elastic: false,
            number: false,
        }
    }

    /// Text of any length, cut where the terminal is too narrow.
    pub(crate) const fn text(title: &'static str) -> Self {
        Self {
            title,
            elastic: true,
            number: false,
        }
    }

    /// Numbers, aligned to the right.
    pub(crate) const fn number(title: &'static str) -> Self {
        Self {
            title,
            elastic: false,
            number: true,
        }
    }
}

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    text: String,
    colour: Option<Color>,
}

impl Field {
    pub(crate) fn coloured(mut self, colour: Option<Color>) -> Self {
        self.colour = colour;
        self
    }
}

impl<T: AsRef<str>> From<T> for Field {
    /// Control characters are taken out: much of what is shown was written by vendors.
    fn from(text: T) -> Self {
        Self {
            text: clean(text.as_ref()),
            colour: None,
        }
    }
}

/// The colour of a severity, where it has one.
pub(crate) fn severity_colour(severity: Severity) -> Option<Color> {
    match severity {
        Severity::Critical => Some(Color::Magenta),
        Severity::High => Some(Color::Red),
        Severity::Medium => Some(Color::Yellow),
        Severity::Low | Severity::Info | Severity::Unknown => None,
    }
}

/// The colour of a run's state, where it has one.
pub(crate) fn state_colour(state: RunState) -> Option<Color> {
    match state {
        RunState::Complete => Some(Color::Green),
        RunState::Failed => Some(Color::Red),
        RunState::Partial | RunState::Held | RunState::Interrupted => Some(Color::Yellow),
        RunState::Queued | RunState::Running | RunState::Skipped => None,
    }
}

/// A table that is printed piece by piece: the first piece decides how wide the columns are.
pub(crate) struct Grid {
    columns: &'static [Column],
    look: Look,
    widths: Option<Vec<u16>>,
}

impl Grid {
    pub(crate) fn new(columns: &'static [Column], look: Look) -> Self {
        Self {
            columns,
            look,
            widths: None,
        }
    }

    /// Prints rows; before the first ones the header. No rows, no header.
    pub(crate) fn print(
        &mut self,
        output: &mut Output,
        rows: Vec<Vec<Field>>,
    ) -> std::io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        for line in self.lines(rows) {
            output.write_all(line.as_bytes())?;
            output.write_all(b"\n")?;
        }
        Ok(())
    }

    fn lines(&mut self, rows: Vec<Vec<Field>>) -> Vec<String> {
        let mut table = Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_truncation_indicator("…");
        if self.look.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if self.widths.is_none() {
            table.set_header(self.columns.iter().map(|column| {
                Cell::new(column.title).add_attribute(if self.look.colour {
                    Attribute::Bold
                } else {
                    Attribute::Reset
                })
            }));
        }
        for fields in rows {
            let mut row = Row::from(fields.into_iter().map(|field| self.cell(field)));
            if self.look.width.is_some() {
                row.max_height(1);
            }
            table.add_row(row);
        }
        self.arrange(&mut table);
        table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    fn cell(&self, field: Field) -> Cell {
        let cell = Cell::new_owned(field.text);
        match field.colour {
            Some(colour) if self.look.colour => cell.fg(colour),
            _ => cell,
        }
    }

    fn arrange(&mut self, table: &mut Table) {
        let widths = match self.widths.take() {
            Some(widths) => widths,
            None => fit(
                self.columns,
                table.column_max_content_widths(),
                self.look.width,
            ),
        };
        for (index, (column, width)) in self.columns.iter().zip(&widths).enumerate() {
            let Some(shown) = table.column_mut(index) else {
                continue;
            };
            shown.set_padding((0, GAP));
            // Cut anywhere, not only between words.
            shown.set_delimiter('\u{0}');
            let width = Width::Fixed(width + GAP);
            shown.set_constraint(if self.look.width.is_some() && column.elastic {
                ColumnConstraint::Absolute(width)
            } else {
                ColumnConstraint::LowerBoundary(width)
            });
            if column.number {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        self.widths = Some(widths);
    }
}

/// Widths of the columns: what they need, and where that is more than there is, less for the widest elastic ones.
fn fit(columns: &[Column], mut widths: Vec<u16>, available: Option<u16>) -> Vec<u16> {
    let Some(available) = available else {
        return widths;
    };
    let gaps = GAP * u16::try_from(columns.len()).unwrap_or(u16::MAX);
    let mut surplus = widths
        .iter()
        .copied()
        .fold(gaps, u16::saturating_add)
        .saturating_sub(available);
    while surplus > 0 {
        let widest = columns
            .iter()
            .zip(&mut widths)
            .filter(|(column, width)| column.elastic && **width > NARROWEST)
            .max_by_key(|(_, width)| **width);
        let Some((_, width)) = widest else { break };
        *width -= 1;
        surplus -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::super::output::capture;
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::number("ID"),
        Column::word("SEVERITY"),
        Column::text("TITLE"),
        Column::text("PRODUCT"),
    ];

    fn printed(look: Look, pieces: Vec<Vec<[&str; 4]>>) -> String {
        let (mut output, text, _) = capture::output(look);
        let mut grid = Grid::new(COLUMNS, look);
        for piece in pieces {
            let rows = piece
                .into_iter()
                .map(|row| row.map(Field::from).to_vec())
                .collect();
            grid.print(&mut output, rows).unwrap();
        }
        output.flush().unwrap();
        text.text()
    }

    fn terminal(width: u16) -> Look {
        Look {
            width: Some(width),
            colour: false,
        }
    }

    #[test]
    fn columns_are_aligned_and_lines_have_no_trailing_space() {
        let text = printed(
            Look::default(),
            vec![vec![
                ["7", "high", "Bad", "Shop"],
                ["12", "critical", "Worse", "S"],
            ]],
        );
        assert_eq!(
            text,
            "ID  SEVERITY  TITLE  PRODUCT\n 7  high      Bad    Shop\n12  critical  Worse  S\n"
        );
    }

    #[test]
    fn on_a_terminal_long_text_is_cut_to_its_width() {
        let title = "A very long title that nobody can read to its end on a narrow terminal";
        let text = printed(terminal(60), vec![vec![["7", "high", title, "Shop"]]]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines.iter().all(|line| line.chars().count() <= 60),
            "{text}"
        );
        assert!(
            lines[1].contains('…') && lines[1].ends_with("Shop"),
            "{text}"
        );
    }

    #[test]
    fn in_a_pipe_nothing_is_cut() {
        let title = "x".repeat(500);
        let text = printed(Look::default(), vec![vec![["7", "high", &title, "Shop"]]]);
        assert!(text.contains(&title));
    }

    #[test]
    fn the_first_piece_decides_the_widths_and_has_the_header() {
        let text = printed(
            terminal(100),
            vec![
                vec![["7", "high", "twelve chars", "Shop"]],
                vec![["8", "low", "a title of more than twelve chars", "Shop"]],
            ],
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].find("Shop"), Some(28));
        assert_eq!(lines[2].chars().position(|c| c == 'S'), Some(28), "{text}");
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        assert_eq!(printed(Look::default(), vec![vec![]]), "");
    }

    #[test]
    fn escapes_in_vendors_text_do_not_reach_the_terminal() {
        let text = printed(
            terminal(100),
            vec![vec![["7", "high", "\u{1b}]0;owned\u{7}title", "Shop"]]],
        );
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
    }
}
