//! The tables that both engines have, as data: what a move from one to the other takes along.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Bytes,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
}

use Kind::{Bytes, Number, Text};

/// In an order in which each refers to those before it only.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "api_configurations",
        columns: &[
            ("id", Number),
            ("name", Text),
            ("connector", Text),
            ("last_complete_at", Number),
            ("held_run_id", Number),
            ("held", Number),
        ],
    },
    Table {
        name: "filings",
        columns: &[
            ("id", Number),
            ("product", Text),
            ("branch", Text),
            ("service", Text),
        ],
    },
    Table {
        name: "records",
        columns: &[
            ("api_configuration_id", Number),
            ("record_id", Text),
            ("name", Text),
            ("state", Text),
            ("missing_since", Number),
        ],
    },
    Table {
        name: "scopes",
        columns: &[
            ("id", Number),
            ("api_configuration_id", Number),
            ("record_id", Text),
            ("branch", Text),
            ("part", Text),
            ("filing_id", Number),
            ("unresolved", Number),
            ("complete_runs", Number),
            ("last_complete_at", Number),
            ("last_complete_run", Number),
            ("changed_run", Number),
            ("read_run", Number),
        ],
    },
    Table {
        name: "scope_filings",
        columns: &[("scope_id", Number), ("filing_id", Number)],
    },
    Table {
        name: "runs",
        columns: &[
            ("id", Number),
            ("api_configuration_id", Number),
            ("trigger", Text),
            ("state", Text),
            ("daemon", Text),
            ("started_at", Number),
            ("finished_at", Number),
            ("new", Number),
            ("updated", Number),
            ("unchanged", Number),
            ("resolved", Number),
            ("reopened", Number),
            ("already_fixed", Number),
            ("unreadable", Number),
            ("pages", Number),
            ("requests", Number),
            ("retries", Number),
            ("error", Text),
            ("announced", Number),
            ("credentials_refused", Number),
        ],
    },
    Table {
        name: "slots",
        columns: &[("api_configuration_id", Number), ("slot", Number)],
    },
    Table {
        name: "dictionaries",
        columns: &[("id", Number), ("connector", Text), ("bytes", Bytes)],
    },
    Table {
        name: "findings",
        columns: &[
            ("id", Number),
            ("fingerprint", Bytes),
            ("filing_id", Number),
            ("kind", Number),
            ("severity", Number),
            ("status", Number),
            ("first_seen", Number),
            ("resolved_at", Number),
            ("canonical_id", Text),
        ],
    },
    Table {
        name: "vulnerability_names",
        columns: &[("name", Text), ("canonical_id", Text)],
    },
    Table {
        name: "sightings",
        columns: &[
            ("id", Number),
            ("scope_id", Number),
            ("key", Bytes),
            ("digest", Bytes),
            ("finding_id", Number),
            ("fingerprint", Bytes),
            ("severity", Number),
            ("status", Number),
            ("misses", Number),
            ("run_id", Number),
            ("first_seen", Number),
            ("last_seen", Number),
            ("resolved_at", Number),
            ("body", Bytes),
        ],
    },
    Table {
        name: "history",
        columns: &[
            ("id", Number),
            ("finding_id", Number),
            ("at", Number),
            ("event", Text),
            ("run_id", Number),
            ("sighting_id", Number),
            ("old", Text),
            ("new", Text),
        ],
    },
    Table {
        name: "documents",
        columns: &[
            ("space", Text),
            ("name", Text),
            ("version", Text),
            ("used_at", Number),
            ("body", Bytes),
        ],
    },
    Table {
        name: "held",
        columns: &[("run_id", Number), ("sighting_id", Number)],
    },
    Table {
        name: "outbox",
        columns: &[
            ("id", Number),
            ("destination", Text),
            ("topic", Text),
            ("content", Text),
            ("revision", Number),
            ("since", Number),
            ("revised_at", Number),
            ("attempts", Number),
            ("not_before", Number),
            ("problem", Text),
            ("note", Text),
        ],
    },
    Table {
        name: "destinations",
        columns: &[("name", Text), ("holder", Text), ("held_until", Number)],
    },
    Table {
        name: "announced_once",
        columns: &[("key", Text), ("at", Number)],
    },
    Table {
        name: "destination_state",
        columns: &[("destination", Text), ("topic", Text), ("state", Text)],
    },
];

/// Values of one column, of some rows.
#[derive(Debug)]
pub(super) enum Column {
    Numbers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Numbers(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
        }
    }
}

/// What an export says, in the order of [`TABLES`].
#[derive(Debug)]
pub(super) enum Piece {
    /// The next rows of this table, column by column.
    Rows {
        table: &'static Table,
        columns: Vec<Column>,
    },
    /// That was the table, with so many rows.
    End { table: &'static Table, rows: u64 },
    /// The highest numbers ever given to a run and to a finding: they must not be given again.
    Numbers { run: i64, finding: i64 },
}
